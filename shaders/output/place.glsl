// Puts a picture on the canvas: Catmull-Rom where it is enlarged, and where the canvas is wider or
// taller than the picture its border goes on, ever softer, so that it never stands in black bars.
uniform vec2 scale = vec2(1.0); // size of the canvas in pictures
uniform float pixels = 1.0;     // pixels of the picture to one of the canvas

vec3 catmull_rom(vec2 at) { // 9 bilinear reads instead of 16
    vec2 size = vec2(textureSize(source, 0)), p = at * size, mid = floor(p - 0.5) + 0.5;
    vec2 f = p - mid;
    vec2 w0 = f * (-0.5 + f * (1.0 - 0.5 * f)), w3 = f * f * (0.5 * f - 0.5);
    vec2 w2 = f * (0.5 + f * (2.0 - 1.5 * f)), w12 = 1.0 - w0 - w3;
    vec2 t0 = (mid - 1.0) / size, t3 = (mid + 2.0) / size, t12 = (mid + w2 / w12) / size;
    vec3 top = w0.x * textureLod(source, t0, 0.0).rgb
             + w12.x * textureLod(source, vec2(t12.x, t0.y), 0.0).rgb
             + w3.x * textureLod(source, vec2(t3.x, t0.y), 0.0).rgb;
    vec3 middle = w0.x * textureLod(source, vec2(t0.x, t12.y), 0.0).rgb
                + w12.x * textureLod(source, t12, 0.0).rgb
                + w3.x * textureLod(source, vec2(t3.x, t12.y), 0.0).rgb;
    vec3 bottom = w0.x * textureLod(source, vec2(t0.x, t3.y), 0.0).rgb
                + w12.x * textureLod(source, vec2(t12.x, t3.y), 0.0).rgb
                + w3.x * textureLod(source, t3, 0.0).rgb;
    return max(w0.y * top + w12.y * middle + w3.y * bottom, 0.0);
}

void main() {
    vec2 at = (uv - 0.5) * scale + 0.5;
    vec2 past = abs(at - clamp(at, 0.0, 1.0));
    float beyond = max(past.x, past.y);
    if (beyond > 0.0) {
        float top = log2(float(textureSize(source, 0).x));
        color = vec4(textureLod(source, clamp(at, 0.0, 1.0), top * sqrt(beyond)).rgb, 1.0);
    } else if (pixels > 1.0) {
        color = vec4(textureLod(source, at, log2(pixels)).rgb, 1.0);
    } else {
        color = vec4(catmull_rom(at), 1.0);
    }
}
