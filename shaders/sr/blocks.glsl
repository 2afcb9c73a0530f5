#version 430 core
// The end of the upscaler on a tile in shared memory: last convolution, Catmull-Rom base, bound and
// pixel shuffle. Each invocation writes the whole block of its pixel into the picture.
//
// Filled in as tile.glsl is; `near` holds the frame with a rim of two texels.

//! declarations

uniform sampler2D frame;
uniform float strength;  // 0: the base alone; 1: as trained
shared vec3 near[(WIDTH + 4) * (HEIGHT + 4)];

#define texel(source, x, y) source[(y) * (WIDTH + 2) + (x)]
#define around(dx, dy) near[(b.y + 1 + (dy)) * (WIDTH + 4) + b.x + 1 + (dx)]
// As in phases.glsl.
#define bounded(value, base, low, high) min(max(value, min(base, low)), max(base, high))

void main() {
    ivec2 size = textureSize(frame, 0), corner = ivec2(gl_WorkGroupID.xy) * ivec2(WIDTH, HEIGHT);
    for (int i = int(gl_LocalInvocationIndex); i < (WIDTH + 2) * (HEIGHT + 2); i += WIDTH * HEIGHT) {
        ivec2 at = clamp(corner - 1 + ivec2(i % (WIDTH + 2), i / (WIDTH + 2)), ivec2(0), size - 1);
        FILL
    }
    for (int i = int(gl_LocalInvocationIndex); i < (WIDTH + 4) * (HEIGHT + 4); i += WIDTH * HEIGHT) {
        ivec2 at = clamp(corner - 2 + ivec2(i % (WIDTH + 4), i / (WIDTH + 4)), ivec2(0), size - 1);
        near[i] = texelFetch(frame, at, 0).rgb;
    }
    barrier();
    ivec2 p = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(p, size))) return;
    ivec2 a = ivec2(gl_LocalInvocationID.xy), b = a + 1, c = a + 2;
    //! body
}
