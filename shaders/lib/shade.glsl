// Who stands before the wall: a picture some 64 points wide, so it is read by a cubic B-spline (four
// bilinear reads: Sigg and Hadwiger, GPU Gems 2, chapter 20), which shows no squares.

float somebody(vec2 at) { // 0 nobody to 1, at a place of the picture; the shade covers it as a whole
    vec2 size = vec2(textureSize(shade, 0));
    vec2 part = vec2(min(1.0, resolution.x * size.y / (resolution.y * size.x)),
                     min(1.0, resolution.y * size.x / (resolution.x * size.y)));
    vec2 p = ((at - 0.5) * part + 0.5) * size - 0.5;
    vec2 f = fract(p), i = p - f, g = 1.0 - f;
    vec2 w0 = g * g * g / 6.0, w3 = f * f * f / 6.0;
    vec2 w1 = (4.0 - 6.0 * f * f + 3.0 * f * f * f) / 6.0, w2 = 1.0 - w0 - w1 - w3;
    vec2 near = w0 + w1, far = w2 + w3;
    vec2 a = (i - 0.5 + w1 / near) / size, b = (i + 1.5 + w3 / far) / size;
    return near.y * (near.x * texture(shade, a).r + far.x * texture(shade, vec2(b.x, a.y)).r) +
           far.y * (near.x * texture(shade, vec2(a.x, b.y)).r + far.x * texture(shade, b).r);
}
