// Draws a picture at any other size, across (STAGE 0, 2) or up (1, 3): Catmull-Rom, kept within the
// range of what it reads, so that no edge gets a rim. Where the picture is reduced (2, 3) it is
// widened, so that nothing finer than a pixel is left to flicker.
uniform vec2 scale = vec2(1.0); // size of the canvas in pictures

const int AXIS = STAGE % 2;

float catmull_rom(float d) { // Keys' cubic with a = -0.5
    return d < 1.0 ? (1.5 * d - 2.5) * d * d + 1.0 : ((-0.5 * d + 2.5) * d - 4.0) * d + 2.0;
}

vec3 texel(int i, int last) {
    ivec2 at = ivec2(gl_FragCoord.xy);
    at[AXIS] = clamp(i, 0, last);
    return texelFetch(source, at, 0).rgb;
}

void main() {
    int last = textureSize(source, 0)[AXIS] - 1;
    float size = float(last + 1);
    float pixels = scale[AXIS] * size; // the whole canvas, in texels of the picture
    float x = (uv[AXIS] - 0.5) * pixels + 0.5 * size - 0.5;
#if STAGE < 2
    int i = int(floor(x));
    float f = x - float(i), g = 1.0 - f;
    vec3 a = texel(i - 1, last), b = texel(i, last), c = texel(i + 1, last), d = texel(i + 2, last);
    float wa = -0.5 * f * g * g, wd = -0.5 * g * f * f, wc = f * (0.5 + f * (2.0 - 1.5 * f));
    vec3 mean = wa * a + (1.0 - wa - wc - wd) * b + wc * c + wd * d;
    vec3 low = min(min(a, b), min(c, d)), high = max(max(a, b), max(c, d));
#else
    float wide = pixels / resolution[AXIS], weights = 0.0;
    vec3 mean = vec3(0.0), low = vec3(1e9), high = vec3(-1e9);
    for (int i = int(floor(x - 2.0 * wide)) + 1; float(i) < x + 2.0 * wide; i++) {
        vec3 c = texel(i, last);
        float weight = catmull_rom(abs(float(i) - x) / wide);
        mean += weight * c;
        weights += weight;
        low = min(low, c);
        high = max(high, c);
    }
    mean /= weights;
#endif
    color = vec4(clamp(mean, low, high), 1.0);
}
