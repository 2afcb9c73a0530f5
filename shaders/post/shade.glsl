// Shade: the picture is seen in the shade of whoever stands before the wall.
//@ neutral amount=0
#include "lib/shade.glsl"
uniform float amount = 1.0;  // 0 the whole picture, 1 in the shade alone
uniform float outside = 0.0; // light that is left elsewhere
uniform float soft = 0.5;    // how soft its edge is
uniform float rim = 0.3;     // light along the edge
uniform float lantern = 0.0; // a light that wanders by itself: its radius, of the picture's shorter side
uniform float wander = 1.0;  // how far it wanders by the time; at 0 it is where the next two say
uniform float across = 0.0;  // where it is, to the right of the middle, of the shorter side
uniform float up = 0.0;      // and above
uniform float found = 0.0;   // how far it has gone out for who is there, where a camera sees their shade

const float TURN = 6.2831853 / 4096.0; // time begins again then, and nothing may jump

float wandering() {
    vec2 middle = 0.33 * wander * vec2(sin(190.0 * TURN * time), sin(127.0 * TURN * time + 1.0));
    middle += vec2(across, up);
    vec2 away = (uv - 0.5) * resolution / min(resolution.x, resolution.y) - middle;
    float sees = textureSize(shade, 0).x > 1 ? 1.0 : 0.0; // else nobody would have any light
    float radius = lantern * (1.0 - clamp(found, 0.0, 1.0) * sees);
    return radius > 0.0 ? clamp(1.5 - length(away) / radius, 0.0, 1.0) : 0.0;
}

void main() {
    float there = max(somebody(uv), wandering()), half_soft = 0.02 + 0.45 * clamp(soft, 0.0, 1.0);
    float inside = smoothstep(0.5 - half_soft, 0.5 + half_soft, there);
    float edge = 4.0 * inside * (1.0 - inside);
    vec3 picture = here(source);
    vec3 seen = picture * (mix(outside, 1.0, inside) + rim * edge);
    color = vec4(mix(picture, seen, amount), 1.0);
}
