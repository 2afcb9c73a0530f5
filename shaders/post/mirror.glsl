// Mirror: one half of the picture looks at itself.
//@ neutral amount=0
uniform float amount = 1.0; // 0 not at all, 1 wholly; between them both are seen
uniform float angle = 0.0;  // of the axis, in degrees; 0 keeps the left half, 90 the lower one
uniform float shift = 0.0;  // moves the axis, in half pictures

void main() {
    float a = radians(angle), aspect = resolution.x / resolution.y;
    vec2 across = vec2(cos(a), sin(a)), p = (uv - 0.5) * vec2(aspect, 1.0);
    p -= 2.0 * max(dot(p, across) - 0.5 * shift, 0.0) * across;
    vec2 at = p / vec2(aspect, 1.0) + 0.5;
    at = 1.0 - abs(1.0 - mod(at, 2.0)); // past the border the picture comes back
    color = vec4(mix(here(source), texture(source, at).rgb, amount), 1.0);
}
