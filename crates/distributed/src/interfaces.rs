//! The network interfaces of this machine.

use std::ffi::{CString, c_char};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs, UdpSocket};

use stepwell_optim::{Code, Error, Result};

unsafe extern "C" {
    /// POSIX: the number of a network interface, or 0.
    fn if_nametoindex(name: *const c_char) -> u32;
}

/// Fails for a name that is neither a network interface nor an address of this machine.
pub(crate) fn check_interfaces(names: &str) -> Result<()> {
    for name in names.split(',') {
        let is_interface = CString::new(name).is_ok_and(|name| {
            // SAFETY: a live text.
            unsafe { if_nametoindex(name.as_ptr()) != 0 }
        });
        // A socket is bound to an address of this machine alone.
        if !is_interface && UdpSocket::bind((name, 0)).is_err() {
            let message = format!("expected network interfaces or addresses of this machine, given {name:?}");
            return Err(Error::new(Code::Argument, message));
        }
    }
    Ok(())
}

/// The address of this machine from which the host is reached: the others may reach it there. The address of the host name would often be
/// one of this machine alone.
pub(crate) fn own_address(host: &str, port: u16) -> Option<String> {
    (host, port).to_socket_addrs().ok()?.find_map(|address| {
        let any: IpAddr = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        // A datagram socket connects without sending anything.
        let socket = UdpSocket::bind((any, 0)).ok()?;
        socket.connect(address).ok()?;
        Some(socket.local_addr().ok()?.ip().to_string())
    })
}
