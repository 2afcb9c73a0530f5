// Film grain: strongest in the middle tones, gone in black and white, new 24 times a second.
//@ neutral amount=0
#include "lib/color.glsl"
#include "lib/noise.glsl"
uniform float amount = 0.06; // strength
uniform float size = 1.5;   // of a grain, in pixels of a picture 1080 high
uniform float tint = 0.3;   // 0 grey grain, 1 one of its own in each colour

void main() {
    vec3 c = sqrt(max(here(source), 0.0)); // grain is even to the eye, so it is added to roots
    vec2 at = gl_FragCoord.xy / max(1.0, size * resolution.y / 1080.0);
    float tick = floor(time * 24.0);
    vec3 noise = white3(floor(at), 2.0 * tick) + white3(floor(at + 0.5), 2.0 * tick + 1.0) - 1.0;
    noise = mix(noise.xxx, noise, tint);
    float tone = luminance(c);
    c += amount * noise * 4.0 * tone * (1.0 - min(tone, 1.0));
    color = vec4(c * abs(c), 1.0);
}
