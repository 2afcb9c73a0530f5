// Outline: what has edges glows along them, in its own colours, and all that is even goes dark.
//@ neutral amount=0
#include "lib/color.glsl"
uniform float amount = 1.0; // 0 the picture, 1 its lines alone
uniform float width = 3.0;  // of a line, in pixels of a picture 1080 high
uniform float light = 1.6;  // how bright lines are
uniform float heat = 0.7;   // 0 the picture's own colours, 1 those of embers

void main() {
    vec2 d = width * max(1.0, resolution.y / 1080.0) / resolution;
    float l[9];
    for (int i = 0; i < 9; i++) { // roots: an edge in the dark counts as much as one in the light
        vec2 at = uv + d * vec2(float(i % 3 - 1), float(i / 3 - 1));
        l[i] = sqrt(max(luminance(texture(source, at).rgb), 0.0));
    }
    vec2 slope = vec2(l[2] + 2.0 * l[5] + l[8] - l[0] - 2.0 * l[3] - l[6],
                      l[6] + 2.0 * l[7] + l[8] - l[0] - 2.0 * l[1] - l[2]); // Sobel
    float edge = smoothstep(0.06, 1.3, length(slope));
    vec3 c = here(source);
    vec3 own = c / max(luminance(c), 0.05);
    vec3 ember = vec3(1.0, 0.32 * edge + 0.08, 0.12 * edge * edge);
    color = vec4(mix(c, light * edge * mix(own * 0.5, ember, heat), amount), 1.0);
}
