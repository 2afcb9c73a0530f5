#version 330 core
// The upscaler's last convolution and the Catmull-Rom base, for one row of every output block.
//
// At an integer scale both are filters on the low-resolution grid. Target y0 takes red, y1 green,
// y2 blue; component j of each is column j of the block. The rows lie below each other in one tall
// texture, ROW of them above this one. `frame` is the picture, `x0` … the last features; lines
// marked //! are filled in as in convolution.glsl.

#define texel(source, x, y) textureLod(source, vec2(x, y), 0.0)

uniform sampler2D frame;
uniform float strength;  // 0: the base alone; 1: as trained

//! declarations

// The residual stays near the range of the texels around it, so that no edge gets a bright rim;
// the base is always allowed. Vectors of two, three or four columns, by the scale.
#define bounded(value, base, low, high) min(max(value, min(base, low)), max(base, high))

void main() {
    ivec2 size = textureSize(frame, 0);
    vec2 at = gl_FragCoord.xy - vec2(0, ROW * size.y);
    ivec2 p = ivec2(at);
    vec2 a = (at - 1.0) / vec2(size);
    vec2 b = at / vec2(size);
    vec2 c = (at + 1.0) / vec2(size);
    //! body
}
