#version 330 core
// One 3x3 convolution of the upscaler: four output channels in every render target.
//
// Lines marked //! are filled in with the weights of a piece, as literals: on software GL that is
// several times faster than a uniform buffer, and multiple render targets read each texel once for
// all outputs. `x0`, `x1` ... hold the input channels by fours, `skip0` ... the first features, `y0` ...
// are the outputs. A matrix is column-major: one column for each input channel.

// Nearest texel, clamped to the edge by the sampler, which is replicate padding.
#define texel(source, x, y) textureLod(source, vec2(x, y), 0.0)
#define same(source) textureLod(source, b, 0.0)

//! declarations

vec4 activate(vec4 value) { return max(value, LEAK * value); }

void main() {
    vec2 size = vec2(textureSize(x0, 0));
    vec2 a = (gl_FragCoord.xy - 1.0) / size;
    vec2 b = gl_FragCoord.xy / size;
    vec2 c = (gl_FragCoord.xy + 1.0) / size;
    //! body
}
