#version 430 core
// A 3x3 convolution of the upscaler on tiles in shared memory: all output channels at once.
//
// A group takes WIDTH x HEIGHT pixels, an invocation a column of ROWS of them, so that a weight that
// was read serves them all. Of the input, four channels at a time are in shared memory, with a rim of
// one texel, and of the weights what belongs to them. Lines marked //! are filled in as in
// convolution.glsl. The edge is clamped, which is replicate padding.

//! declarations

layout(std430, binding = 0) readonly buffer Weights { vec4 weights[]; };
shared vec4 texels[TEXELS];
shared vec4 matrices[9 * OUTPUTS * 4];

// Fill `texels` with what `read` finds at `at`, with a rim of so many.
#define FILL(rim, read) \
    for (int i = index; i < (WIDTH + 2 * rim) * (HEIGHT + 2 * rim); i += THREADS) { \
        ivec2 within = ivec2(i % (WIDTH + 2 * rim), i / (WIDTH + 2 * rim)); \
        ivec2 at = clamp(tile - rim + within, ivec2(0), size - 1); \
        texels[i] = read; \
    }
#define LOAD(group) \
    barrier(); \
    FILL(1, four(group, at)) \
    for (int i = index; i < 9 * OUTPUTS * 4; i += THREADS) \
        matrices[i] = weights[OUTPUTS + group * 9 * OUTPUTS * 4 + i]; \
    barrier();
#define texel(dx, dy) texels[(first.y + (dy)) * (WIDTH + 2) + first.x + (dx)]

void main() {
    int index = int(gl_LocalInvocationIndex);
    ivec2 size = textureSize(in0, 0), tile = ivec2(gl_WorkGroupID.xy) * ivec2(WIDTH, HEIGHT);
    ivec2 first = ivec2(gl_LocalInvocationID.xy) * ivec2(1, ROWS), p, b;
    //! body
}
