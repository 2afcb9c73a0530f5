// Noise that is the same on every GPU: integer hashes, no sin().

uvec3 pcg3(uvec3 v) { // Jarzynski and Olano, Hash Functions for GPU Rendering, JCGT 2020
    v = v * 1664525u + 1013904223u;
    v.x += v.y * v.z; v.y += v.z * v.x; v.z += v.x * v.y;
    v ^= v >> 16u;
    v.x += v.y * v.z; v.y += v.z * v.x; v.z += v.x * v.y;
    return v;
}

vec3 white3(vec2 cell, float tick) { // three numbers in [0, 1) for each cell and tick
    return vec3(pcg3(uvec3(ivec3(cell, tick))) >> 8u) / 16777216.0;
}

float smooth_noise(vec2 p, float tick) { // one bump a unit, 0 to 1, mostly near the middle
    vec2 i = floor(p), f = p - i;
    f = f * f * f * (f * (f * 6.0 - 15.0) + 10.0);
    float a = white3(i, tick).x, b = white3(i + vec2(1, 0), tick).x;
    float c = white3(i + vec2(0, 1), tick).x, d = white3(i + vec2(1, 1), tick).x;
    return mix(mix(a, b, f.x), mix(c, d, f.x), f.y);
}

float cloud_noise(vec2 p) { // three octaves, each turned so that no grid is seen, 0 to 1
    const mat2 TURN = mat2(1.6, 1.2, -1.2, 1.6);
    float sum = 0.57 * smooth_noise(p, 1.0);
    p = TURN * p;
    sum += 0.29 * smooth_noise(p, 2.0);
    return clamp((sum + 0.14 * smooth_noise(TURN * p, 3.0) - 0.2) / 0.6, 0.0, 1.0);
}
