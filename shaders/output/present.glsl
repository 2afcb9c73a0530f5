// The last step to the screen: encode to sRGB, once, with a dither of one level so that a
// projector shows no banding. The difference of two neighbours' noise is triangular and has
// little low frequency; it fades out at black and white, which stay exact.
// STAGE 0 is for a picture of the screen's size, STAGE 1 for any other.
#include "lib/color.glsl"
#include "lib/noise.glsl"
uniform float fade = 1.0; // brightness of everything; 0 is black

void main() {
#if STAGE == 0
    vec3 c = here(source);
#else
    vec3 c = texture(source, uv).rgb;
#endif
    c = clamp(to_srgb(c * fade), 0.0, 1.0);
    vec2 cell = floor(gl_FragCoord.xy);
    float tick = floor(time * 60.0);
    vec3 noise = white3(cell, tick) - white3(cell + vec2(1.0, 0.0), tick);
    color = vec4(c + noise * min(min(c, 1.0 - c), 1.0 / 255.0), 1.0);
}
