// For a projector that stands askew: the picture with its corners elsewhere, black around it. Its
// edge is drawn as finely as a pixel allows.
uniform mat3 to_picture = mat3(1.0); // from a place on the screen to one in the picture

void main() {
    vec3 p = to_picture * vec3(uv, 1.0);
    // How far within each edge: without the division, which has no end where the picture's plane
    // passes the eye. Beyond that one of them is below 0.
    vec4 within = vec4(p.xy, p.z - p.xy);
    within = clamp(within / max(fwidth(within), vec4(1e-6)) + 0.5, 0.0, 1.0);
    float inside = within.x * within.y * within.z * within.w;
    color = vec4(texture(source, p.xy / max(p.z, 1e-6)).rgb * inside, 1.0);
}
