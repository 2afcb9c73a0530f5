//! declarations
#define STRENGTH 1.0 // 0: plain Catmull-Rom; 1: as trained

#define cell(dx, dy) HOOKED_tex((corner + vec2(dx, dy) + 0.5) * HOOKED_pt).rgb

vec4 cubic(float f) { // weights of the four texels around, a = -0.5
    float g = 1.0 - f, a = -0.5 * f * g * g, d = -0.5 * g * f * f, c = f * (0.5 + f * (2.0 - 1.5 * f));
    return vec4(a, 1.0 - a - c - d, c, d);
}

vec4 hook() {
    vec2 x = HOOKED_pos * HOOKED_size, corner = floor(x);
    ivec2 within = ivec2((x - corner) * float(SCALE));
    int phase = within.y * SCALE + within.x;
    vec2 at = (corner + 0.5) * HOOKED_pt;
    vec3 residual = vec3(0.0);
    //! body
    vec3 low = vec3(1e9), high = vec3(-1e9);
    for (int dy = -1; dy <= 1; dy++)
        for (int dx = -1; dx <= 1; dx++) {
            vec3 c = cell(dx, dy);
            low = min(low, c);
            high = max(high, c);
        }
    corner = floor(x - 0.5);
    vec2 f = x - 0.5 - corner;
    vec4 across = cubic(f.x), down = cubic(f.y);
    vec3 base = vec3(0.0);
    for (int dy = 0; dy < 4; dy++)
        for (int dx = 0; dx < 4; dx++)
            base += down[dy] * across[dx] * cell(dx - 1, dy - 1);
    vec3 margin = MARGIN * (high - low);
    vec3 c = max(base + STRENGTH * residual, min(base, low - margin));
    return vec4(clamp(min(c, max(base, high + margin)), 0.0, 1.0), 1.0);
}
