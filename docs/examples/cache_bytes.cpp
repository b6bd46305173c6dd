// The bytes that each type of attention caches for 1000 frames. With the installed library:
//
//     c++ cache_bytes.cpp -o cache_bytes $(pkg-config --cflags --libs --static attn) && ./cache_bytes
#include <attn/attention.h>

#include <cstdio>

int main() {
    for (const attn_variant *const *v = attn_variants; *v; v++) {
        attn_geometry geometry = {};
        attn_error error = {};
        geometry.d_model = 512;
        geometry.num_heads = 8;
        if (attn_geometry_complete(&geometry, *v, nullptr, &error)) {
            std::fprintf(stderr, "cache_bytes: %s\n", error.message);
            return 1;
        }
        std::printf("%-10s %8zu bytes a layer\n", (*v)->name, (*v)->cache_bytes(&geometry, 1, 1000, ATTN_ELEMENT_F32));
    }
}
