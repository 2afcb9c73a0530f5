// Trails: what was there a moment ago is still seen, like a long exposure or a light in the dark.
// It fades by the second, not by the frame, so it looks the same at any frame rate. Where trails
// move they are drawn anew each frame, and the finest lines still lose by it: one of three pixels
// is after a second at 144 frames down to about seven tenths of what it is at 30.
//@ feedback
//@ neutral seconds=0 zoom=0
uniform float seconds = 0.4; // until half of a trail is gone; 0 is none
uniform float light = 0.0;   // 0 long exposure, 1 only bright things leave a trail
uniform float zoom = 0.0;    // how far trails move outward in a second; 0.1 is a tenth

vec4 catmull_rom(float f) { // weights of the four texels around
    float g = 1.0 - f, a = -0.5 * f * g * g, d = -0.5 * g * f * f, c = f * (0.5 + f * (2.0 - 1.5 * f));
    return vec4(a, 1.0 - a - c - d, c, d);
}

vec3 texel(ivec2 at) {
    return texelFetch(previous, clamp(at, ivec2(0), textureSize(previous, 0) - 1), 0).rgb;
}

vec3 moved(vec2 at) { // kept within the range that is read, so that nothing feeds on itself
    vec2 x = at * vec2(textureSize(previous, 0)) - 0.5, i = floor(x);
    vec4 across = catmull_rom(x.x - i.x), up = catmull_rom(x.y - i.y);
    vec3 mean = vec3(0.0), low = vec3(1e9), high = vec3(-1e9);
    int rows = 4 * int(min(ceil(abs(zoom)), 1.0)); // llvmpipe takes both ways of an if, not of a loop
    for (int row = 0; row < rows; row++) {
        ivec2 p = ivec2(i) + ivec2(0, row - 1);
        vec3 a = texel(p - ivec2(1, 0)), b = texel(p);
        vec3 c = texel(p + ivec2(1, 0)), d = texel(p + ivec2(2, 0));
        mean += up[row] * (mat4x3(a, b, c, d) * across);
        low = min(low, min(min(a, b), min(c, d)));
        high = max(high, max(max(a, b), max(c, d)));
    }
    return clamp(mean, low, high);
}

void main() {
    vec3 c = clamp(here(source), 0.0, 64.0); // what feeds back must stay finite
    float kept = exp2(-dt / max(seconds, 1e-4)) * step(1e-4, seconds);
    vec3 was = zoom == 0.0 ? here(previous) : moved((uv - 0.5) * exp2(-zoom * dt) + 0.5);
    vec3 before = kept * was;
    color = vec4(mix(before + (1.0 - kept) * c, max(before, c), light), 1.0);
}
