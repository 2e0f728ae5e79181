#ifndef TRIBUTARY_CLIBPQ_SHIM_H
#define TRIBUTARY_CLIBPQ_SHIM_H

#include <libpq-fe.h>

/* Server notices go nowhere: libpq would print them on stderr. */
static inline void tributary_pq_ignore(void *argument, const char *message) {
    (void)argument;
    (void)message;
}
static inline void tributary_pq_without_notices(PGconn *connection) {
    PQsetNoticeProcessor(connection, tributary_pq_ignore, (void *)0);
}

#endif
