#version 330 core
// The upscaler's last convolution and the Catmull-Rom base, for one part of every output block: all
// of it at scale 2, one row of it at 3 and 4.
//
// At an integer scale both are filters on the low-resolution grid. A target takes one colour; its
// components are the pixels of the part; at scale 3 the fourth is not used. The parts lie below each
// other in one tall texture, PART of them above this one. `frame` is the picture, `x0` ... the last
// features; lines marked //! are filled in as in convolution.glsl.

#define texel(source, x, y) textureLod(source, vec2(x, y), 0.0)
#define around(dx, dy) textureLod(frame, b + vec2(dx, dy) * pixel, 0.0).rgb

uniform sampler2D frame;
uniform float strength;  // 0: the base alone; 1: as trained

//! declarations

// The residual stays near the range of the texels around it, so that no edge gets a bright rim;
// the base is always allowed. Vectors of three or four, by the scale.
#define bounded(value, base, low, high) min(max(value, min(base, low)), max(base, high))

void main() {
    vec2 size = vec2(textureSize(frame, 0)), pixel = 1.0 / size;
    vec2 at = gl_FragCoord.xy - vec2(0.0, float(PART) * size.y);
    vec2 a = (at - 1.0) / size;
    vec2 b = at / size;
    vec2 c = (at + 1.0) / size;
    //! body
}
