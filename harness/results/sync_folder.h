/* Private to harness/results/. */
#ifndef HARNESS_RESULTS_SYNC_FOLDER_H
#define HARNESS_RESULTS_SYNC_FOLDER_H

/* Names in the folder of the file `path` are on the disk after it. 0, or -1 and errno. */
int sync_folder(const char *path);

#endif
