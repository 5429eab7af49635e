//! What DHCP events carry: EVE's `dhcp` object. Without `Settings::dhcp_extended` only acknowledgements are
//! recorded, and of them type, id, client_mac, assigned_ip, client_id, renewal_time, hostname and dhcp_type.

parse::fields! {
    DHCP: Object("", "dhcp") "one DHCP message";
    KIND: Text("dhcp.", "type") "request or reply";
    ID: Number("dhcp.", "id") "number that the client chose for the exchange";
    CLIENT_MAC: Text("dhcp.", "client_mac") "hardware address of the client";
    ASSIGNED_IP: Text("dhcp.", "assigned_ip") "address that the client gets";
    CLIENT_IP: Text("dhcp.", "client_ip") "address that the client has; extended";
    RELAY_IP: Text("dhcp.", "relay_ip") "relay; extended, replies only";
    NEXT_SERVER_IP: Text("dhcp.", "next_server_ip") "server to boot from; extended, replies only";
    DHCP_TYPE: Text("dhcp.", "dhcp_type") "discover, offer, request, decline, ack, nak, release or inform";
    CLIENT_ID: Text("dhcp.", "client_id") "client identifier without its type";
    HOSTNAME: Text("dhcp.", "hostname") "name that the client gives itself, or is given";
    RENEWAL_TIME: Number("dhcp.", "renewal_time") "seconds until the lease should be renewed";
    REBINDING_TIME: Number("dhcp.", "rebinding_time") "seconds until another server may be asked; extended";
    LEASE_TIME: Number("dhcp.", "lease_time") "seconds that the address may be used; extended";
    REQUESTED_IP: Text("dhcp.", "requested_ip") "address that the client would like; extended";
    SUBNET_MASK: Text("dhcp.", "subnet_mask") "mask of the network; extended";
    ROUTERS: List("dhcp.", "routers") "routers; extended";
    DNS_SERVERS: List("dhcp.", "dns_servers") "name servers; extended";
    PARAMS: List("dhcp.", "params") "what the client asks for, by name; extended";
    VENDOR_CLASS: Text("dhcp.", "vendor_class_identifier") "kind of client; extended";
}
