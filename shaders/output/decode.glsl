// Two frames of the generator to one picture in linear light. The frames lie with their first row
// at the top, as numpy and torch have them; here the picture is turned upright, once and for all.
#include "lib/color.glsl"
uniform sampler2D a;
uniform sampler2D b;
uniform float blend = 0.0; // 0 is a, 1 is b

void main() {
    vec2 at = vec2(uv.x, 1.0 - uv.y);
    color = vec4(mix(to_linear(texture(a, at).rgb), to_linear(texture(b, at).rgb), blend), 1.0);
}
