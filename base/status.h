/* Exit statuses of every command. */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

enum { STATUS_OK = 0, STATUS_FAILED = 1, STATUS_BAD_INPUT = 2, STATUS_UNDECIDED = 3 };

#endif
