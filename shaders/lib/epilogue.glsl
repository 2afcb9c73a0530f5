// What every shader ends with: numbers that a picture can hold. The loader puts this behind the file.
// A NaN would stay for good in a pass that feeds back, and darken all around it in one that blurs;
// past the end of half-float some drivers write infinity, which is one step from a NaN.
#undef main
void main_of_the_file();

void main() {
    main_of_the_file();
    // by their bits: a driver may take it that there are none, and leave isnan() out
    bvec4 main_is_not_a_number = greaterThan(floatBitsToUint(color) & 0x7FFFFFFFu, uvec4(0x7F800000u));
    color = mix(clamp(color, -65504.0, 65504.0), vec4(0.0), main_is_not_a_number);
}
