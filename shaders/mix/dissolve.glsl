// Dissolve: the light of one picture gives way to the light of the other. It begins and ends softly:
// over black the eye sees the first hundredth of a picture's light.
uniform sampler2D a;
uniform sampler2D b;
uniform float progress = 0.0; // 0 is a, 1 is b

void main() {
    color = vec4(mix(here(a), here(b), smoothstep(0.0, 1.0, progress)), 1.0);
}
