/* A corpus of "words" that are tones, small and easy to learn; every failure ends the test. */
#ifndef TESTS_SUPPORT_MODELS_TONES_H
#define TESTS_SUPPORT_MODELS_TONES_H

#include <stddef.h>

/* Writes `count` utterances of 1 to 4 words out of A, B, C, D into FOLDER/SPLIT, in LibriSpeech's layout. The same
 * seed gives the same. */
void tones_corpus(const char *folder, const char *split, size_t count, unsigned seed);

/* One utterance more, of these words; other letters are silent. */
void tones_utterance(const char *folder, const char *split, const char *id, const char *words, unsigned seed);

#endif
