/* tabs.c - residents' tabs: a websocket fan-out load generator (one thread, epoll, edge triggered).
 *
 * build:  gcc -O2 -Wall -o tabs tabs.c
 * use:    taskset -c 1 ./tabs -p 8000 -u /ws -n 10000 -k 33 -w 3
 *         (start a publisher once it has written READY to stderr)
 *
 * Opens N websocket connections to one server on the same machine, waits until
 * all are open and quiet, then counts broadcast messages.  A broadcast is a
 * text message that contains "seq":K (K = 1, 2, ...) and "t":NNN, where NNN is
 * the publisher's CLOCK_MONOTONIC in nanoseconds at the publish instant.  For
 * each K it takes the time from NNN to the first, median, p99 and last client's
 * receipt, and checks that each client got each K exactly once and in order.
 * The last line on stdout is one JSON object.
 *
 *   -h HOST   server address, dotted IPv4          (127.0.0.1)
 *   -p PORT   server port                          (8000)
 *   -u PATH   request path                         (/)
 *   -n N      connections                          (100)
 *   -c C      handshakes in flight at once         (100; -c 0 = all at once)
 *   -s S      source addresses 127.0.0.2 .. S+1    (8)
 *   -H 'K: v' extra request header                 (repeat)
 *   -P NAME   Sec-WebSocket-Protocol
 *   -f TEXT   text message to send after the handshake (repeat, kept in order)
 *   -W TEXT   count a connection as open only when a message with TEXT arrived
 *   -e        answer engine.io pings (message "2") with "3"
 *   -k M      broadcasts to expect; ends when all clients have all M (30)
 *   -w W      the first W broadcasts are warm-up: checked, not timed (0)
 *   -q MS     quiet time before READY              (1000)
 *   -i SEC    stop when nothing came for SEC after READY (20)
 *   -T SEC    stop after SEC altogether            (300)
 *   -r FD     write one byte to FD when a broadcast reached every client
 *             (closed loop: the publisher waits for these credits)
 *   -R FD     control: when open and quiet write QUIET to stderr and wait for "g"
 *             on FD before READY (so that the idle server can be measured); then
 *             "e NNN" on FD lowers the broadcasts to expect from M to NNN
 *   -d FILE   one JSON line per broadcast (first, p50, p99, last in ms)
 *   -b        while running poll without sleeping (yielding the processor), so that
 *             the server's send() never pays for waking this process
 *   -K KEY    the number of a broadcast stands behind "KEY": instead of "seq":
 *   -O N      and is N higher than K
 *   -m TEXT   only messages that contain TEXT are broadcasts
 *   -A        no publish instant in the messages: times count from "t0" of the
 *             result, this program's start by CLOCK_MONOTONIC
 *   -S K      do not read on every Kth connection while running: slow consumers
 *   -B BYTES  receive buffer of those slow consumers
 *   -D SEC    read these again SEC seconds after READY (0 = never)
 *
 * Exit status: 0 every client got everything exactly once and in order, 1 not.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

enum { FREE, CONNECTING, HANDSHAKE, WAITING, OPEN, CLOSED };

struct client {
    int fd;
    uint32_t last;          /* highest K seen */
    uint32_t partlen;       /* bytes of an incomplete frame or response */
    uint8_t state, slow, tries;
    uint8_t *part;
    uint64_t *bits;         /* only after a gap: which K were seen */
    uint64_t t0;
};

struct bcast {
    uint64_t t, done;
    uint32_t count;
    uint32_t *lat;          /* units of 100 ns, in order of arrival */
};

static const char *host = "127.0.0.1", *path = "/", *proto, *waitfor, *dumpfile;
static const char *hdrs[64], *firsts[16];
static int port = 8000, n = 100, conc = 100, nsrc = 8, nh, nf, eio, quiet_ms = 1000;
static const char *seq_key = "\"seq\":", *must;
static uint64_t seq_off, t_start;
static int absolute, slow_rcvbuf;
static int idle_s = 20, limit_s = 300, credit_fd = -1, gate_fd = -1, slow_k, slow_s, busy;
static uint32_t M = 30, warm;
static struct client *cl;
static struct bcast *bc;
static uint32_t *hs_us;     /* handshake times */
static int ep, nopen, inflight, next_c, running;
static uint64_t errs, refused, pings, closed_early, other, dup_, ooo, rsv, recvs, deliveries, bytes_in, beyond;
static uint64_t last_msg, last_rx;
static char *request;
static size_t request_len;
static uint8_t buf[1 << 18];
static struct sockaddr_in dst;

static uint64_t now_ns(void) {
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + ts.tv_nsec;
}

static void die(const char *what) { perror(what); exit(2); }

static void mod(struct client *c, uint32_t events) {
    struct epoll_event ev = {.events = events, .data.u32 = c - cl};
    epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &ev);
}

static void send_frame(struct client *c, int op, const uint8_t *p, size_t len) {
    uint8_t f[4096 + 16];
    size_t h = 2;
    if (len > 4096) len = 4096;
    f[0] = 0x80 | op;
    if (len < 126) f[1] = 0x80 | len;
    else { f[1] = 0x80 | 126; f[2] = len >> 8; f[3] = len; h = 4; }
    memset(f + h, 0, 4);                    /* mask 0: the payload stays as it is */
    memcpy(f + h + 4, p, len);
    if (send(c->fd, f, h + 4 + len, MSG_NOSIGNAL) < 0) errs++;
}

static void start_connect(void);

static void drop(struct client *c) {
    int was = c->state;
    close(c->fd);
    c->fd = -1;
    c->state = CLOSED;
    free(c->part); c->part = NULL; c->partlen = 0;
    if (was == OPEN) { closed_early++; if (!running) nopen--; }
    else { inflight--; if (c->tries < 5) c->state = FREE; else if (c->tries < 100) errs++; }
}

static void opened(struct client *c) {
    c->state = OPEN;
    hs_us[nopen++] = (now_ns() - c->t0) / 1000;
    inflight--;
    last_msg = now_ns();
    start_connect();
}

static void connect_one(struct client *c) {
    int one = 1, i = c - cl;
    struct sockaddr_in src = {.sin_family = AF_INET};
    c->tries++;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0) die("socket");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (c->slow && slow_rcvbuf) setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &slow_rcvbuf, sizeof slow_rcvbuf);
    struct linger lg = {1, 0};              /* reset on close: no TIME_WAIT */
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &lg, sizeof lg);
    if (nsrc > 0) {
        setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
        src.sin_addr.s_addr = htonl(0x7f000002 + i % nsrc);
        if (bind(c->fd, (void *)&src, sizeof src) < 0) die("bind");
    }
    if (!c->t0) c->t0 = now_ns();
    c->state = CONNECTING;
    inflight++;
    struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u32 = i};
    if (epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev) < 0) die("epoll_ctl");
    if (connect(c->fd, (void *)&dst, sizeof dst) < 0 && errno != EINPROGRESS) { refused++; drop(c); }
}

static void start_connect(void) {
    while (next_c < n && inflight < conc) connect_one(&cl[next_c++]);
}

static uint32_t parse_u(const uint8_t *p, const uint8_t *e, uint64_t *out) {
    uint64_t v = 0;
    const uint8_t *s = p;
    while (p < e && *p >= '0' && *p <= '9') v = v * 10 + (*p++ - '0');
    *out = v;
    return p - s;
}

/* position just after key in p[0..len), trying the place of the last hit first */
static const uint8_t *find(const uint8_t *p, size_t len, const char *key, size_t kl, size_t *off) {
    if (*off + kl <= len && !memcmp(p + *off, key, kl)) return p + *off + kl;
    const uint8_t *q = memmem(p, len, key, kl);
    if (!q) return NULL;
    *off = q - p;
    return q + kl;
}

static void on_text(struct client *c, const uint8_t *p, size_t len, uint64_t now) {
    static size_t off_seq, off_t, off_must;
    uint64_t k, t;
    const uint8_t *q, *e = p + len;
    if (eio && len == 1 && *p == '2') { pings++; send_frame(c, 1, (const uint8_t *)"3", 1); return; }
    if (c->state == WAITING && memmem(p, len, waitfor, strlen(waitfor))) { opened(c); return; }
    if (must && !find(p, len, must, strlen(must), &off_must)) { other++; return; }
    t = t_start;
    if (!(q = find(p, len, seq_key, strlen(seq_key), &off_seq)) || !parse_u(q, e, &k) ||
        (!absolute && (!(q = find(p, len, "\"t\":", 4, &off_t)) || !parse_u(q, e, &t)))) { other++; return; }
    k -= seq_off;
    if (k < 1 || k > M) { beyond++; return; }
    last_msg = last_rx = now;
    if (c->bits || k != c->last + 1) {      /* slow path: a gap, a repeat or disorder */
        if (!c->bits) {
            c->bits = calloc(M / 64 + 1, 8);
            for (uint32_t i = 1; i <= c->last; i++) c->bits[i / 64] |= 1ull << (i % 64);
        }
        if (c->bits[k / 64] >> (k % 64) & 1) { dup_++; return; }
        c->bits[k / 64] |= 1ull << (k % 64);
        if (k < c->last) ooo++;
    }
    if (k > c->last) c->last = k;
    struct bcast *b = &bc[k];
    if (!b->lat) { b->lat = malloc((size_t)n * 4); b->t = t; }
    b->lat[b->count++] = (now - t) / 100;
    deliveries++;
    if ((int)b->count == nopen) {
        b->done = now;
        if (credit_fd >= 0 && write(credit_fd, "+", 1) < 0 && errno != EAGAIN) credit_fd = -1;
    }
}

/* returns bytes used; parses all whole frames in p[0..len) */
static size_t frames(struct client *c, const uint8_t *p, size_t len, uint64_t now) {
    size_t at = 0;
    while (len - at >= 2) {
        const uint8_t *f = p + at;
        uint64_t pl = f[1] & 127;
        size_t h = 2;
        if (pl == 126) { if (len - at < 4) break; pl = f[2] << 8 | f[3]; h = 4; }
        else if (pl == 127) {
            if (len - at < 10) break;
            pl = 0;
            for (int i = 2; i < 10; i++) pl = pl << 8 | f[i];
            h = 10;
        }
        if (len - at < h + pl) break;
        if (f[0] & 0x70) rsv++;
        switch (f[0] & 15) {
        case 0: case 1: case 2: on_text(c, f + h, pl, now); break;
        case 9: pings++; send_frame(c, 10, f + h, pl); break;
        case 8: send_frame(c, 8, f + h, pl); drop(c); return len;
        }
        if (c->state == CLOSED) return len;
        at += h + pl;
    }
    return at;
}

static void on_bytes(struct client *c, const uint8_t *p, size_t len, uint64_t now) {
    uint8_t *joined = NULL;
    size_t used = 0;
    if (c->partlen) {
        joined = realloc(c->part, c->partlen + len);
        c->part = NULL;
        memcpy(joined + c->partlen, p, len);
        len += c->partlen;
        c->partlen = 0;
        p = joined;
    }
    if (c->state == HANDSHAKE) {
        const uint8_t *e = memmem(p, len, "\r\n\r\n", 4);
        if (e) {
            used = e + 4 - p;
            if (len < 12 || memcmp(p + 8, " 101", 4)) {
                if (errs++ < 3) fprintf(stderr, "tabs: refused: %.*s\n", (int)(len < 300 ? len : 300), p);
                c->tries = 100;
                drop(c);
                free(joined);
                start_connect();
                return;
            }
            mod(c, EPOLLIN | EPOLLET);
            for (int i = 0; i < nf; i++) send_frame(c, 1, (const uint8_t *)firsts[i], strlen(firsts[i]));
            if (waitfor) c->state = WAITING;
            else opened(c);
        } else goto keep;
    }
    used += frames(c, p + used, len - used, now);
    if (c->state == CLOSED) { free(joined); return; }
keep:
    if (used < len) {
        c->part = malloc(len - used);
        memcpy(c->part, p + used, len - used);
        c->partlen = len - used;
    }
    free(joined);
}

static void on_event(struct client *c, uint32_t ev) {
    if (c->state == CLOSED || c->state == FREE) return;
    if (c->state == CONNECTING) {
        int e = 0;
        socklen_t l = sizeof e;
        if (!(ev & (EPOLLOUT | EPOLLERR | EPOLLHUP))) return;
        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &e, &l);
        if (e) { refused++; drop(c); start_connect(); return; }
        c->state = HANDSHAKE;
        if (send(c->fd, request, request_len, MSG_NOSIGNAL) != (ssize_t)request_len) { refused++; drop(c); return; }
        if (!(ev & EPOLLIN)) return;
    }
    if (c->slow && running) return;
    if (!(ev & (EPOLLIN | EPOLLERR | EPOLLHUP))) return;
    for (;;) {
        ssize_t r = recv(c->fd, buf, sizeof buf, 0);
        if (r > 0) {
            recvs++;
            bytes_in += r;
            on_bytes(c, buf, r, now_ns());
            if (r == (ssize_t)sizeof buf && c->state != CLOSED) continue;
            return;                         /* a short read drained the socket: wait for the next edge */
        }
        if (r < 0 && (errno == EAGAIN || errno == EINTR)) return;
        drop(c);
        start_connect();
        return;
    }
}

static int cmp32(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static int cmpd(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double pct(const double *v, uint32_t m, double p) {
    if (!m) return 0;
    double at = p * (m - 1);
    uint32_t i = at;
    return i + 1 < m ? v[i] + (at - i) * (v[i + 1] - v[i]) : v[m - 1];
}

static void stat_out(const char *name, double *v, uint32_t m) {
    qsort(v, m, sizeof *v, cmpd);
    printf("\"%s\":{\"min\":%.3f,\"p50\":%.3f,\"p99\":%.3f,\"max\":%.3f},", name, m ? v[0] : 0, pct(v, m, .5),
           pct(v, m, .99), m ? v[m - 1] : 0);
}

static double tv(struct timeval t) { return t.tv_sec + t.tv_usec / 1e6; }

int main(int argc, char **argv) {
    int o;
    while ((o = getopt(argc, argv, "h:p:u:n:c:s:H:P:f:W:ek:w:q:i:T:r:R:d:S:D:bK:O:m:AB:")) != -1) switch (o) {
        case 'h': host = optarg; break;
        case 'p': port = atoi(optarg); break;
        case 'u': path = optarg; break;
        case 'n': n = atoi(optarg); break;
        case 'c': conc = atoi(optarg); break;
        case 's': nsrc = atoi(optarg); break;
        case 'H': if (nh < 64) hdrs[nh++] = optarg; break;
        case 'P': proto = optarg; break;
        case 'f': if (nf < 16) firsts[nf++] = optarg; break;
        case 'W': waitfor = optarg; break;
        case 'e': eio = 1; break;
        case 'k': M = atoi(optarg); break;
        case 'w': warm = atoi(optarg); break;
        case 'q': quiet_ms = atoi(optarg); break;
        case 'i': idle_s = atoi(optarg); break;
        case 'T': limit_s = atoi(optarg); break;
        case 'r': credit_fd = atoi(optarg); break;
        case 'R': gate_fd = atoi(optarg); break;
        case 'd': dumpfile = optarg; break;
        case 'S': slow_k = atoi(optarg); break;
        case 'D': slow_s = atoi(optarg); break;
        case 'b': busy = 1; break;
        case 'K': { char *key = malloc(strlen(optarg) + 4); sprintf(key, "\"%s\":", optarg); seq_key = key; break; }
        case 'O': seq_off = atoi(optarg); break;
        case 'm': must = optarg; break;
        case 'A': absolute = 1; break;
        case 'B': slow_rcvbuf = atoi(optarg); break;
        default: fprintf(stderr, "usage: see the head of tabs.c\n"); return 2;
        }
    if (conc <= 0) conc = n;
    signal(SIGPIPE, SIG_IGN);
    struct rlimit rl;
    getrlimit(RLIMIT_NOFILE, &rl);
    if (rl.rlim_cur < (rlim_t)n + 64) {
        rl.rlim_cur = n + 64;
        if (rl.rlim_max < rl.rlim_cur) rl.rlim_max = rl.rlim_cur;
        if (setrlimit(RLIMIT_NOFILE, &rl) < 0) die("setrlimit");
    }
    cl = calloc(n, sizeof *cl);
    bc = calloc(M + 1, sizeof *bc);
    hs_us = calloc(n, sizeof *hs_us);
    for (int i = 0; i < n; i++) { cl[i].fd = -1; cl[i].slow = slow_k && i % slow_k == 0; }
    dst.sin_family = AF_INET;
    dst.sin_port = htons(port);
    if (inet_pton(AF_INET, host, &dst.sin_addr) != 1) die("host");
    size_t cap = 1024 + strlen(path);
    for (int i = 0; i < nh; i++) cap += strlen(hdrs[i]) + 2;
    if (proto) cap += strlen(proto) + 64;
    request = malloc(cap);
    int l = sprintf(request, "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n", path, host, port);
    if (proto) l += sprintf(request + l, "Sec-WebSocket-Protocol: %s\r\n", proto);
    for (int i = 0; i < nh; i++) l += sprintf(request + l, "%s\r\n", hdrs[i]);
    l += sprintf(request + l, "\r\n");
    request_len = l;
    ep = epoll_create1(0);
    if (credit_fd >= 0) fcntl(credit_fd, F_SETFL, fcntl(credit_fd, F_GETFL) | O_NONBLOCK);

    uint64_t t_begin = t_start = now_ns(), t_open = 0, t_ready = 0, limit = t_begin + limit_s * 1000000000ull;
    struct epoll_event evs[1024];
    struct rusage ru0 = {0}, ru1, ruc;
    double connect_cpu = 0;
    int retry_from = 0, gated = 0;
    start_connect();
    for (;;) {
        int k = epoll_wait(ep, evs, 1024, running ? (busy ? 0 : 100) : 10);
        if (k == 0 && busy && running) sched_yield();
        if (k < 0 && errno != EINTR) die("epoll_wait");
        for (int i = 0; i < k; i++) {
            if (evs[i].data.u32 == UINT32_MAX) {
                char tmp[64], *q;
                ssize_t r = read(gate_fd, tmp, sizeof tmp - 1);
                if (r <= 0) { gated = 2; epoll_ctl(ep, EPOLL_CTL_DEL, gate_fd, NULL); continue; }
                tmp[r] = 0;
                if (strchr(tmp, 'g')) gated = 2;
                if ((q = strchr(tmp, 'e')) && (uint32_t)atoi(q + 1) < M) M = atoi(q + 1);
                continue;
            }
            on_event(&cl[evs[i].data.u32], evs[i].events);
        }
        uint64_t t = now_ns();
        if (t > limit) { fprintf(stderr, "tabs: time limit\n"); break; }
        if (!t_open) {
            if (next_c >= n && nopen < n) {  /* refused ones again, a pass at a time */
                for (int j = 0; j < 1000 && inflight < conc; j++) {
                    struct client *c = &cl[retry_from];
                    retry_from = (retry_from + 1) % n;
                    if (c->state == FREE && c->tries < 5) connect_one(c);
                }
            }
            if (next_c >= n && inflight == 0) {
                int pending = 0;
                for (int j = 0; j < n && !pending; j++) pending = cl[j].state == FREE && cl[j].tries < 5;
                if (!pending) {
                    t_open = t;
                    getrusage(RUSAGE_SELF, &ruc);
                    connect_cpu = tv(ruc.ru_utime) + tv(ruc.ru_stime);
                    last_msg = t;
                    qsort(hs_us, nopen, 4, cmp32);
                    fprintf(stderr, "OPEN %d in %.3f s\n", nopen, (t - t_begin) / 1e9);
                }
            }
        } else if (!running) {
            if (gate_fd >= 0) {
                if (gated == 0 && t - last_msg > (uint64_t)quiet_ms * 1000000) {
                    struct epoll_event ev = {.events = EPOLLIN, .data.u32 = UINT32_MAX};
                    gated = epoll_ctl(ep, EPOLL_CTL_ADD, gate_fd, &ev) < 0 ? 2 : 1;
                    fprintf(stderr, "QUIET\n");
                }
                if (gated != 2) continue;
            } else if (t - last_msg <= (uint64_t)quiet_ms * 1000000) continue;
            running = 1;
            t_ready = last_msg = t;
            getrusage(RUSAGE_SELF, &ru0);
            recvs = bytes_in = pings = 0;
            fprintf(stderr, "READY\n");
        } else {
            if (slow_s && slow_k && t - t_ready > slow_s * 1000000000ull) {
                slow_s = 0;
                for (int j = 0; j < n; j++) if (cl[j].slow) { cl[j].slow = 0; on_event(&cl[j], EPOLLIN); }
            }
            if (deliveries >= (uint64_t)nopen * M) break;
            if (t - last_msg > idle_s * 1000000000ull) { fprintf(stderr, "tabs: idle\n"); break; }
        }
    }
    getrusage(RUSAGE_SELF, &ru1);
    uint32_t m = 0, whole = 0, from = warm + 1;
    double *a = calloc(M + 1, 8), *b = calloc(M + 1, 8), *c99 = calloc(M + 1, 8), *z = calloc(M + 1, 8);
    uint64_t all_t = 0, all_d = 0, tail_rx = 0, timed = 0;
    FILE *dump = dumpfile ? fopen(dumpfile, "w") : NULL;
    for (uint32_t k = 1; k <= M; k++) {
        struct bcast *x = &bc[k];
        if (!x->count) continue;
        if ((int)x->count == nopen) whole++;
        if (k < from) continue;
        qsort(x->lat, x->count, 4, cmp32);
        a[m] = x->lat[0] / 1e4;
        b[m] = x->lat[(x->count - 1) / 2] / 1e4;
        c99[m] = x->lat[(uint32_t)((x->count - 1) * .99)] / 1e4;
        z[m] = x->lat[x->count - 1] / 1e4;
        if (!all_t) all_t = x->t;
        if (x->t + (uint64_t)x->lat[x->count - 1] * 100 > tail_rx) tail_rx = x->t + (uint64_t)x->lat[x->count - 1] * 100;
        all_d += x->count;
        timed++;
        if (dump) fprintf(dump, "{\"seq\":%u,\"t\":%lu,\"n\":%u,\"first\":%.3f,\"p50\":%.3f,\"p99\":%.3f,\"last\":%.3f}\n", k, x->t, x->count,
                          a[m], b[m], c99[m], z[m]);
        m++;
    }
    if (dump) fclose(dump);
    uint64_t seen = 0;
    for (uint32_t k = 1; k <= M; k++) seen += bc[k].count;
    uint64_t lost = (uint64_t)nopen * M - seen;
    double cpu = tv(ru1.ru_utime) - tv(ru0.ru_utime) + tv(ru1.ru_stime) - tv(ru0.ru_stime);
    double span = tail_rx > all_t ? (tail_rx - all_t) / 1e9 : 0;
    printf("{\"t0\":%lu,\"n\":%d,\"open\":%d,\"errors\":%lu,\"refused\":%lu,\"connect_s\":%.3f,\"handshakes_per_s\":%.0f,"
           "\"hs_ms\":{\"p50\":%.2f,\"p99\":%.2f,\"max\":%.2f},\"conc\":%d,\"connect_cpu_s\":%.3f,",
           t_start, n, nopen, errs, refused, t_open ? (t_open - t_begin) / 1e9 : 0, t_open ? nopen / ((t_open - t_begin) / 1e9) : 0,
           nopen ? hs_us[nopen / 2] / 1e3 : 0, nopen ? hs_us[(int)(nopen * .99)] / 1e3 : 0, nopen ? hs_us[nopen - 1] / 1e3 : 0,
           conc, connect_cpu);
    printf("\"broadcasts\":%u,\"complete\":%u,\"timed\":%lu,\"deliveries\":%lu,\"lost\":%lu,\"dup\":%lu,\"out_of_order\":%lu,"
           "\"closed\":%lu,\"other\":%lu,\"beyond\":%lu,\"compressed\":%lu,\"pings\":%lu,",
           M, whole, timed, deliveries, lost, dup_, ooo, closed_early, other, beyond, rsv, pings);
    stat_out("first_ms", a, m);
    stat_out("p50_ms", b, m);
    stat_out("p99_ms", c99, m);
    stat_out("last_ms", z, m);
    printf("\"span_s\":%.4f,\"deliveries_per_s\":%.0f,\"frames_per_recv\":%.3f,\"own_cpu_s\":%.3f,\"own_cpu_us_per_delivery\":%.3f}\n",
           span, span > 0 ? all_d / span : 0, recvs ? (double)deliveries / recvs : 0, cpu, deliveries ? cpu * 1e6 / deliveries : 0);
    int ok = lost == 0 && dup_ == 0 && ooo == 0 && nopen == n;
    fflush(stdout);
    _exit(ok ? 0 : 1);
}
