// Melt: the old picture runs down like warm wax while the new one rises out of it.
#include "lib/noise.glsl"
uniform sampler2D a;
uniform sampler2D b;
uniform float progress = 0.0; // 0 is a, 1 is b
uniform float amount = 0.35;  // how far things run, in pictures

void main() {
    float x = uv.x * resolution.x / resolution.y;
    float run = amount * (0.35 + smooth_noise(vec2(x * 7.0, uv.y * 1.5), 1.0));
    vec2 down = vec2(0.0, run);
    vec3 before = texture(a, uv + down * progress).rgb;
    vec3 after = texture(b, uv - down * (1.0 - progress)).rgb;
    color = vec4(mix(before, after, smoothstep(0.0, 1.0, progress)), 1.0);
}
