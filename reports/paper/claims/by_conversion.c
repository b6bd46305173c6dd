/* Claims on what attention types can express: layers of random weights, really converted. */
#include "attn/convert.h"
#include "reports/paper/claims/claim.h"

#include <math.h>

enum { WIDTH = 64, HEADS = 4, SEED = 1 };
static const double rounding = 1e-5; /* a relative error below it is that of float32 */

static attn_geometry geometry(const attn_variant *variant, size_t latent_dim) {
    attn_geometry g = {.d_model = WIDTH, .num_heads = HEADS, .latent_dim = latent_dim};
    attn_geometry_complete(&g, variant, NULL, NULL);
    return g;
}

/* The relative error of the keys' and values' weights after the best conversion to mla_simple or mla; NaN when memory is
 * short. */
static double converted_error(const attn_layer *mha, const char *type, size_t latent_dim) {
    const attn_convert_target target = {
        .variant = attn_variant_find(type), .method = ATTN_CONVERT_JOINT, .latent_dim = latent_dim};
    attn_layer made = {0};
    attn_convert_report report;
    int failed = attn_convert_layer(&made, &report, mha, &target, &(attn_layer_inputs){0}, NULL);
    attn_layer_free(&made);
    return failed ? NAN : report.weights_error;
}

static void said_size(claim_verdict *v) {
    claim_size(v, "one layer of random weights, d_model %d, %d heads", WIDTH, HEADS);
}

void claim_full_capacity(claim_verdict *v, const claims_evidence *e) {
    (void)e;
    const attn_variant *variant = attn_variant_find("mha");
    attn_geometry g = geometry(variant, 0);
    attn_layer mha = {0};
    if (!attn_layer_create(&mha, variant, &g, SEED, NULL)) {
        double whole = converted_error(&mha, "mla", WIDTH), half = converted_error(&mha, "mla", WIDTH / 2);
        if (!isnan(whole) && !isnan(half))
            claim_add(v, claim_holds(whole < rounding),
                      "the best conversion leaves a relative error of %.2g in the weights of keys and values "
                      "at latent_dim d_model, and of %.2g at d_model/2",
                      whole, half);
    }
    attn_layer_free(&mha);
    said_size(v);
}

/* Each head's two matrices of MLA fold into one of MLA-Simple. */
void claim_less_expressive(claim_verdict *v, const claims_evidence *e) {
    (void)e;
    const attn_variant *variant = attn_variant_find("mla");
    attn_geometry g = geometry(variant, WIDTH / 2);
    attn_layer mla = {0}, folded = {0};
    if (!attn_layer_create(&mla, variant, &g, SEED, NULL) && !attn_fold_layer(&folded, &mla, variant, NULL)) {
        double error = converted_error(&folded, "mla_simple", WIDTH / 2);
        if (!isnan(error))
            claim_add(v, claim_holds(error >= rounding),
                      "an MLA-Simple layer of the same latent_dim, d_model/2, equals it: relative error of "
                      "the weights %.2g",
                      error);
    }
    attn_layer_free(&mla);
    attn_layer_free(&folded);
    said_size(v);
}
