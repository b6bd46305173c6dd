/* Converting trained multi-head attention to a smaller KV cache: mla_simple, mla and gqa.
 *
 * Keys and values of a layer are one affine map of its input, y = W x + b, with the weights stacked:
 * W = [W_k; W_v], [2 d_model, d_model]. A latent of R numbers is a rank-R factorisation, W ~ E C: kv_compress
 * is C [R, d_model], k_expand and v_expand are the halves of E [2 d_model, R], and their biases are b. Query
 * and output projections and positions stay as they are.
 *
 *   average     W_k ~ E_k C_k and W_v ~ E_v C_v by an SVD each (square roots of the singular values on both
 *               sides); C = (C_k + C_v) / 2. As published, for comparison: the rows of C_k and C_v have
 *               nothing to do with each other (even their signs are the SVD's to choose; here the largest
 *               entry of each row is positive), so it is wrong even at full rank.
 *   split       the same two SVDs at R / 2 (keys rounded down), C = [C_k; C_v]: never mixes, never shares.
 *   joint       W ~ U_R U_R^T W with the leading left singular vectors of W: by Eckart and Young (1936) no
 *               factorisation of rank R is closer to W. Exact from R = rank W on, which is at most d_model;
 *               there the latent is the layer's input in other coordinates, and costs as much to keep.
 *   activation  U_R from W S^{1/2}, S = E[(x - m)(x - m)^T] the covariance and m the mean of real inputs of
 *               the layer: no affine map of rank R is closer to the keys and values that these inputs
 *               produce. The covariance is centred because the biases, b + (I - U_R U_R^T) W m, take over what
 *               a rank cut does to the mean; with E[x x^T] a rank would be spent on it.
 *   mean        gqa: keys and values of the heads in a group, averaged (Ainslie et al. 2023, section 2.1).
 *   activation  gqa: the same mean (which is the nearest single head whatever the inputs), but heads are
 *               grouped so that what they produce on real inputs differs least. Query heads are reordered to
 *               match; that changes no output.
 *
 * Both joint and activation keep C = U_R^T W and E = U_R: nothing is divided by a singular value or by the
 * covariance, so that a singular one does no harm. The left singular vectors are taken inside the range of W,
 * W = Q B (QR), U = Q P, with P from B S^{1/2}: at R = d_model P is a whole rotation and U U^T W = W whatever
 * the covariance was. Directions that no calibration input took are ordered as joint would, by a trace of the
 * identity in S; with no more inputs than d_model, by as much of it as an input differs from what the others
 * span (leave-one-out), and the biases then rely on no more of m than averaging so few would not give by
 * chance.
 *
 * All of it is computed in double precision, through LAPACK. What can fail returns 0, or -1 and an error. */
#ifndef ATTN_CONVERT_H
#define ATTN_CONVERT_H

#include "attn/model.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum attn_convert_method {
    ATTN_CONVERT_AVERAGE,
    ATTN_CONVERT_SPLIT,
    ATTN_CONVERT_JOINT,
    ATTN_CONVERT_ACTIVATION,
    ATTN_CONVERT_MEAN
} attn_convert_method;
extern const char *const attn_convert_method_names[]; /* "average", ..., NULL */

/* How one layer is converted. */
typedef struct attn_convert_target {
    const attn_variant *variant; /* mla_simple, mla or gqa */
    attn_convert_method method;
    size_t latent_dim;   /* mla*: 1 to d_model */
    size_t num_kv_heads; /* gqa: divides num_heads */
    /* joint, activation: keys and values weigh the same, whichever is larger. (Otherwise what counts is the
     * sum of their squared errors.) */
    bool balance;
} attn_convert_target;

/* Inputs of a layer's attention, [frames, d_model]; frames 0: none are known. */
typedef struct attn_layer_inputs {
    const float *x;
    size_t frames;
} attn_layer_inputs;

/* What came out. Errors are relative, in the Frobenius norm; NaN: not known. */
typedef struct attn_convert_report {
    size_t latent_dim;     /* gqa: 2 h_kv d_k, the floats that a frame keeps */
    size_t weights_rank;   /* of W: singular values above float32's rounding of the largest */
    double weights_error;  /* of the keys' and values' weights, as stored */
    double weights_bound;  /* Eckart-Young: the least that any map of this rank can reach; NaN for gqa */
    size_t frames;         /* inputs that errors were taken over */
    double produced_error; /* of the keys and values that they produce, biases included */
    double produced_bound; /* the least that any affine map of this rank can reach on them; NaN for gqa */
    bool few_inputs;       /* no more than d_model: unseen directions had to be guessed */
} attn_convert_report;

/* Converts one mha layer. `to` owns its weights afterwards (attn_layer_free). `activation` needs inputs; for
 * the other methods they only serve the report, which may be NULL (and then costs nothing). */
int attn_convert_layer(attn_layer *to, attn_convert_report *report, const attn_layer *mha,
                       const attn_convert_target *target, const attn_layer_inputs *inputs, attn_error *error);

/* The mha layer that computes the same as `from`, which may be any type with keys and values but linear. Its
 * weights are written into `mha` where that has memory for them, else allocated as attn_layer_create does. */
int attn_fold_layer(attn_layer *mha, const attn_layer *from, const attn_variant *variant, attn_error *error);

/* The singular values of the stacked weights, descending, [d_model]. */
int attn_stacked_spectrum(double *sigma, const attn_layer *layer, const attn_variant *variant,
                          attn_error *error);

/* Compares two layers that share input and output (the second stands in for the first) on inputs of the
 * first. Fills the errors of the report; the bounds are those of any map with latent_dim numbers. */
int attn_compare_layers(attn_convert_report *report, const attn_layer *mha, const attn_layer *other,
                        const attn_variant *other_variant, const attn_layer_inputs *inputs,
                        attn_error *error);

/* A layer at every latent_dim at once: factors at d_model, of which the smaller ones are parts. For
 * sweeps. */
typedef struct attn_family attn_family;
/* Target's latent_dim is not used. Free with attn_family_free. */
int attn_family_make(attn_family **family, const attn_layer *mha, const attn_convert_target *target,
                     const attn_layer_inputs *inputs, attn_error *error);
void attn_family_free(attn_family *family);
/* Writes keys and values of `mha` as attn_fold_layer would after attn_convert_layer to latent_dim. */
int attn_family_fold(attn_layer *mha, const attn_family *family, size_t latent_dim, attn_error *error);

/* left[r], r = 0..d_model: the squared error that a layer is left with at latent_dim r, relative to r = 0, in
 * the measure that the method minimises. Falls and is convex but for split, which is so in steps of two. */
typedef struct attn_error_curve {
    double *left; /* [d_model + 1] */
    size_t d_model, step;
} attn_error_curve;

/* Spreads `total` latent dimensions over the layers so that the sum of what is left is least (each next one
 * goes where it takes away most; optimal because the curves are convex). Every layer gets at least `step`.
 * Fails when there are not enough for that. What curves cannot use is left over. */
int attn_spread_ranks(size_t *ranks, const attn_error_curve *curves, size_t layers, size_t total,
                      attn_error *error);
/* The fewest latent dimensions that leave a mean squared error of at most target^2 over the layers. */
int attn_spread_for_error(size_t *ranks, const attn_error_curve *curves, size_t layers, double target,
                          attn_error *error);
/* sqrt of the mean over layers of what is left. */
double attn_spread_error(const size_t *ranks, const attn_error_curve *curves, size_t layers);

/* Features for calibration: [B, T, input_dim], lengths [B] in frames (NULL: all). x NULL: none. */
typedef struct attn_calibration {
    const float *x;
    const size_t *lengths;
    size_t batch, frames;
} attn_calibration;

/* Called when a layer is done; `layers` of them in this pass. `report` is NULL in the pass that only
 * looks. */
typedef void attn_convert_progress(void *context, size_t layer, size_t layers,
                                   const attn_convert_report *report);

typedef struct attn_convert_options {
    attn_convert_target target; /* latent_dim 0 when one of the next two is given */
    size_t total_ranks;         /* latent dimensions to spread over all layers; 0: not asked for */
    double target_error;        /* or the error to reach; 0: not asked for */
    attn_calibration calibration;
    attn_convert_progress *progress; /* NULL: nobody listens */
    void *progress_context;
} attn_convert_options;

typedef struct attn_conversion {
    attn_config config; /* of the converted model */
    size_t layers;
    attn_layer *layer;           /* [layers] */
    attn_convert_report *report; /* [layers] */
    attn_error_curve *curve;     /* [layers] when ranks were spread, else NULL */
} attn_conversion;

/* Can a model of this configuration be converted so? (Calibration data are not looked at yet.) */
int attn_convert_options_check(const attn_convert_options *options, const attn_config *config,
                               attn_error *error);

/* Converts every attention layer of an mha model, in order. With calibration data, each layer sees the inputs
 * that the layers converted before it give. The model is changed: its attention becomes the mha that computes
 * what the conversion does. Free with attn_conversion_free, also after failure. */
int attn_convert_model(attn_conversion *conversion, attn_model *model, const attn_convert_options *options,
                       attn_error *error);
/* The other way: every layer of an mla*, gqa or mha model as mha. */
int attn_fold_model(attn_conversion *conversion, attn_model *model, attn_error *error);
void attn_conversion_free(attn_conversion *conversion);

/* The converted model in memory, for what goes on with it; `from` is the model that attn_convert_model was given.
 * Free with attn_model_free. */
int attn_conversion_apply(attn_model **made, const attn_conversion *conversion, attn_model *from,
                          attn_error *error);

/* Writes the checkpoint of the converted model: what the conversion changed is new (F32), every other tensor
 * of the checkpoint `from`, needed or not, keeps its name, type and bits. */
int attn_conversion_save(const attn_conversion *conversion, const attn_config *from_config, const char *from,
                         const char *to, attn_error *error);

#ifdef __cplusplus
}
#endif
#endif
