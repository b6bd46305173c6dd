/* Titles of a study's pictures that say what was found, computed from their lines. Private to study_*.c. */
#ifndef REPORTS_STUDY_PICTURES_STUDY_TITLES_H
#define REPORTS_STUDY_PICTURES_STUDY_TITLES_H

#include "reports/study/pictures/study_lines.h"

/* Down to which cache a type of the group loses nothing that was found; y is "wer_percent" or "loss". All write "" where
 * the lines do not say. */
void study_title_cache(char *text, size_t size, const study_lines *l, const char *y, study_group group);
/* What the smallest latent costs, by group. */
void study_title_latent(char *text, size_t size, const study_lines *l, const char *y);
/* Which type needs the least time; x is in ms. */
void study_title_latency(char *text, size_t size, const study_lines *l);
/* Whose loss is the least at the last epoch. */
void study_title_curves(char *text, size_t size, const study_lines *l);

#endif
