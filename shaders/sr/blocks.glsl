// What tile.glsl needs besides for the end of the upscaler: Catmull-Rom base, bound and pixel shuffle.
// Once the sums are made, the same memory holds the frame with a rim of two texels.

uniform sampler2D frame;
uniform float strength;  // 0: the base alone; 1: as trained

#define FRAME barrier(); FILL(2, texelFetch(frame, at, 0)) barrier();
#define around(dx, dy) texels[(b.y + 2 + (dy)) * (WIDTH + 4) + b.x + 2 + (dx)].rgb
// As in phases.glsl.
#define bounded(value, base, low, high) min(max(value, min(base, low)), max(base, high))
