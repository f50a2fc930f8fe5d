// SPDX-License-Identifier: GPL-2.0
/* Module parameters that user space can read back: the kernel's macro for Rust leaves them out of sysfs. */
#include <linux/module.h>

#include "socket.h"

int knet_protocol = 262;
module_param_named(protocol, knet_protocol, int, 0444);
MODULE_PARM_DESC(protocol, "Protocol number of our sockets: 262 shadows the kernel's own, 256 to 261 leave it reachable");
