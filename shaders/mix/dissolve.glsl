// Dissolve: the light of one picture gives way to the light of the other.
uniform sampler2D a;
uniform sampler2D b;
uniform float progress = 0.0; // 0 is a, 1 is b

void main() {
    color = vec4(mix(here(a), here(b), progress), 1.0);
}
