// Bloom: light from the brightest places spills over darker ones beside them. Nothing ever gets
// brighter than its brightest neighbour, so an even bright ground stays as it is.
//@ stages 1/4 1/8 1/16 1/8 1
//@ neutral amount=0
#include "lib/color.glsl"
uniform float amount = 0.25;    // how much of the light that spills is seen
uniform float threshold = 0.35; // luminance from which a place gives light
uniform float radius = 1.0;     // reach; 1 is about a tenth of the picture

void main() {
#if STAGE == 4
    vec3 c = here(original);
    color = vec4(c + amount * max(texture(source, uv).rgb - c, 0.0), 1.0);
#else
    vec2 d = (STAGE == 0 ? 1.0 : radius) / vec2(textureSize(source, 0));
    vec3 c = 0.25 * (texture(source, uv + d).rgb + texture(source, uv - d).rgb
                   + texture(source, uv + vec2(d.x, -d.y)).rgb
                   + texture(source, uv + vec2(-d.x, d.y)).rgb);
    if (STAGE == 0) c *= smoothstep(threshold, threshold + 0.3, luminance(c));
    color = vec4(c, 1.0);
#endif
}
