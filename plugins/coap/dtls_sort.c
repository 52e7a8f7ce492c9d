/* SPDX-License-Identifier: Apache-2.0 */
#include "dtls_sort.h"

#include <errno.h>
#include <linux/filter.h>
#include <sys/socket.h>

#include "dtls_record.h"

/* Places in the datagram. Source: RFC 6347 sections 4.1, 4.2.1 and 4.2.2. */
enum {
	AT_TYPE = 0,
	AT_EPOCH = 3,
	AT_MESSAGE = DTLS_RECORD_HEADER,
	AT_SESSION_ID = DTLS_RECORD_HEADER + 12 + 2 + DTLS_RANDOM_SIZE, /* its length; behind it comes the cookie's */
	CLIENT_HELLO = 1
};

/* A load from behind the datagram's end ends the program with 0, which is DTLS_SORT_SESSIONS: there it is found to be malformed. */
int dtls_sort_attach(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, AT_TYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DTLS_CONTENT_HANDSHAKE, 0, 10),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, AT_EPOCH),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 8),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, AT_MESSAGE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CLIENT_HELLO, 0, 6),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, AT_SESSION_ID),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, AT_SESSION_ID + 1),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, DTLS_SORT_HELLO),
		BPF_STMT(BPF_RET | BPF_K, DTLS_SORT_COOKIE),
		BPF_STMT(BPF_RET | BPF_K, DTLS_SORT_SESSIONS),
	};
	const struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof(program)) < 0 ? -errno : 0;
}

void dtls_sort_detach(int fd)
{
	(void)setsockopt(fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &(int){0}, sizeof(int));
}
