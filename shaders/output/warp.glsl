// For a projector that stands askew: the picture with its corners elsewhere, black around it. Its
// edge is drawn as finely as a pixel allows.
uniform mat3 to_picture = mat3(1.0); // from a place on the screen to one in the picture

void main() {
    vec3 p = to_picture * vec3(uv, 1.0);
    vec2 at = p.xy / p.z;
    vec2 inside = clamp((0.5 - abs(at - 0.5)) / max(fwidth(at), vec2(1e-6)) + 0.5, 0.0, 1.0);
    color = vec4(texture(source, at).rgb * inside.x * inside.y, 1.0);
}
