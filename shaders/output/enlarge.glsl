// Enlarges a picture with Catmull-Rom: first across, then up, three bilinear reads each.
uniform vec2 scale = vec2(1.0); // size of the canvas in pictures

void main() {
#if STAGE == 0
    vec2 at = vec2((uv.x - 0.5) * scale.x + 0.5, uv.y), along = vec2(1.0, 0.0);
#else
    vec2 at = vec2(uv.x, (uv.y - 0.5) * scale.y + 0.5), along = vec2(0.0, 1.0);
#endif
    vec2 size = vec2(textureSize(source, 0)), p = at * size;
    float x = dot(p, along), mid = floor(x - 0.5) + 0.5, f = x - mid;
    float w0 = f * (-0.5 + f * (1.0 - 0.5 * f)), w3 = f * f * (0.5 * f - 0.5);
    float w2 = f * (0.5 + f * (2.0 - 1.5 * f)), w12 = 1.0 - w0 - w3;
    vec2 base = p + along * (mid - x);
    vec3 c = w0 * texture(source, (base - along) / size).rgb
           + w12 * texture(source, (base + along * w2 / w12) / size).rgb
           + w3 * texture(source, (base + along * 2.0) / size).rgb;
#if STAGE == 1
    c = max(c, 0.0);
#endif
    color = vec4(c, 1.0);
}
