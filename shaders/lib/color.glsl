// Colour: sRGB (IEC 61966-2-1) to linear light and back, and luminance.

vec3 to_linear(vec3 c) {
    return mix(c / 12.92, pow((max(c, 0.0) + 0.055) / 1.055, vec3(2.4)), step(0.04045, c));
}

vec3 to_srgb(vec3 c) {
    c = max(c, 0.0);
    return mix(c * 12.92, 1.055 * pow(c, vec3(1.0 / 2.4)) - 0.055, step(0.0031308, c));
}

float luminance(vec3 c) { // Rec. 709, of linear light
    return dot(c, vec3(0.2126, 0.7152, 0.0722));
}
