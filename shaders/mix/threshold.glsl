// Threshold: the new picture comes in by its own darks first, or along drifting cloud.
#include "lib/color.glsl"
#include "lib/noise.glsl"
uniform sampler2D a;
uniform sampler2D b;
uniform float progress = 0.0; // 0 is a, 1 is b
uniform float cloud = 0.6;    // 0 follows the light of b, 1 follows noise
uniform float soft = 0.35;    // width of the edge

void main() {
    vec3 before = here(a), after = here(b);
    vec2 p = vec2(uv.x * resolution.x / resolution.y, uv.y);
    float noise = cloud_noise(p * 4.0);
    float order = mix(sqrt(clamp(luminance(after), 0.0, 1.0)), noise, cloud);
    float edge = progress * (1.0 + soft);
    color = vec4(mix(before, after, smoothstep(order, order + soft, edge)), 1.0);
}
