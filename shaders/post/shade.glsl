// Shade: the picture is seen in the shade of whoever stands before the wall.
//@ neutral amount=0
#include "lib/shade.glsl"
uniform float amount = 1.0;  // 0 the whole picture, 1 in the shade alone
uniform float outside = 0.0; // light that is left elsewhere
uniform float soft = 0.5;    // how soft its edge is
uniform float rim = 0.3;     // light along the edge

void main() {
    float there = somebody(uv), half_soft = 0.02 + 0.45 * clamp(soft, 0.0, 1.0);
    float inside = smoothstep(0.5 - half_soft, 0.5 + half_soft, there);
    float edge = 4.0 * inside * (1.0 - inside);
    vec3 picture = here(source);
    vec3 seen = picture * (mix(outside, 1.0, inside) + rim * edge);
    color = vec4(mix(picture, seen, amount), 1.0);
}
