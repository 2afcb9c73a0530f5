// Vignette: the corners fall into shade, as in an old lens or a lit room.
//@ neutral amount=0
uniform float amount = 0.4; // how dark the corners get
uniform float size = 0.5;   // where it begins: 0 in the middle, 1 in the corners

void main() {
    vec2 p = (uv - 0.5) * 2.0;
    float far = smoothstep(size, 1.5, length(p));
    color = vec4(here(source) * (1.0 - amount * far), 1.0);
}
