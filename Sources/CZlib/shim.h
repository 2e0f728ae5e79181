#ifndef TRIBUTARY_CZLIB_SHIM_H
#define TRIBUTARY_CZLIB_SHIM_H

#include <zlib.h>

/* Macros, which Swift cannot call. The negative window means bare deflate, as entries of a zip hold it. */
static inline int tributary_deflate_begin(z_stream *stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
}

static inline int tributary_inflate_begin(z_stream *stream) { return inflateInit2(stream, -MAX_WBITS); }

#endif
