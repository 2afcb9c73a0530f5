#version 430 core
// One 3×3 convolution of the upscaler on a tile in shared memory: all output channels at once.
//
// Lines marked //! are filled in as in convolution.glsl. `in0` … are the input channels by fours,
// `x0` … the same in shared memory with a rim of one texel, `y0` … the images written. The edge is
// clamped, which is replicate padding.

//! declarations

#define texel(source, x, y) source[(y) * (WIDTH + 2) + (x)]
#define same(source) texelFetch(source, p, 0)

vec4 activate(vec4 value) { return max(value, LEAK * value); }

void main() {
    ivec2 size = textureSize(in0, 0), corner = ivec2(gl_WorkGroupID.xy) * ivec2(WIDTH, HEIGHT) - 1;
    for (int i = int(gl_LocalInvocationIndex); i < (WIDTH + 2) * (HEIGHT + 2); i += WIDTH * HEIGHT) {
        ivec2 at = clamp(corner + ivec2(i % (WIDTH + 2), i / (WIDTH + 2)), ivec2(0), size - 1);
        FILL
    }
    barrier();
    ivec2 p = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(p, size))) return;
    ivec2 a = ivec2(gl_LocalInvocationID.xy), b = a + 1, c = a + 2;
    //! body
}
