// Where the canvas is wider or taller than the picture, lets its border go on, ever softer, so that
// it never stands between black bars. Reads the smaller copies of the picture.
uniform vec2 scale = vec2(1.0); // size of the canvas in pictures

void main() {
    vec2 at = (uv - 0.5) * scale + 0.5, edge = clamp(at, 0.0, 1.0), past = abs(at - edge);
    float eighth = log2(float(textureSize(source, 0).x)) - 3.0; // softer, and the middle is in it
    float softness = max(eighth, 0.0) * min(1.5 * sqrt(max(past.x, past.y)), 1.0);
    vec2 pixels = scale * vec2(textureSize(source, 0)) / resolution; // to one of the canvas
    float reduced = log2(max(max(pixels.x, pixels.y), 1.0));
    color = vec4(textureLod(source, edge, max(softness, reduced)).rgb, 1.0);
}
