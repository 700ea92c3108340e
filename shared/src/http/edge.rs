//! The edge of the service: whether a request came through the proxy that it must come through,
//! which address it comes from, and whether the admin pages are there for that address.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue},
};
use lambda_http::request::RequestContext;
use secrecy::{ExposeSecret, SecretString};
use subtle::{Choice, ConstantTimeEq};

use super::ApiError;
use crate::settings::EdgeSettings;

/// The header in which a proxy shows that it is the one, by `ORIGIN_SECRET`.
pub const ORIGIN_SECRET_HEADER: HeaderName = HeaderName::from_static("x-origin-verify");

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address at the other end of a connection, for a service that is served directly: an extension
/// of the request.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// The address that a request comes from, by which attempts are counted and sessions are shown: an
/// extension of each request.
///
/// Without a proxy it is the address that API Gateway saw, or the peer's, and never a header's, which
/// any client may write. With `ORIGIN_SECRET` it is the last one in `X-Forwarded-For` that is not the
/// proxy's own: a proxy adds the address that it saw to what the client wrote, and API Gateway adds
/// the proxy's.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub IpAddr);

/// That an event of API Gateway holds no request of HTTP: an extension of the request that stands for it.
#[derive(Clone, Copy, Debug)]
pub struct Malformed;

/// Lets a request in, and notes where it comes from.
///
/// # Errors
/// It is none, did not come through the proxy, or asks for admin pages that are not there for it.
pub(super) fn admit(edge: &EdgeSettings, request: &mut Request) -> Result<(), ApiError> {
    if request.extensions().get::<Malformed>().is_some() {
        // DRF's words.
        return Err(ApiError::Parse("Malformed request.".to_owned()));
    }
    // Nothing below has a use for it.
    let sent = request.headers_mut().remove(ORIGIN_SECRET_HEADER);
    let is_behind_proxy = !edge.origin_secrets.is_empty();
    let is_from_proxy = is_behind_proxy && is_known(&edge.origin_secrets, sent.as_ref());
    let peer = peer(request);
    let address = match is_from_proxy {
        true => forwarded_for(request.headers(), peer).or(peer),
        false => peer,
    };
    if let Some(address) = address {
        request.extensions_mut().insert(ClientAddress(address));
    }
    if is_behind_proxy && !is_from_proxy {
        return Err(ApiError::PermissionDenied);
    }
    if request.uri().path().starts_with("/admin/") {
        return admit_to_admin(edge, address);
    }
    Ok(())
}

/// Compares with each secret, all of it, so that the time tells nothing.
fn is_known(secrets: &[SecretString], sent: Option<&HeaderValue>) -> bool {
    let sent = sent.map_or(&b""[..], HeaderValue::as_bytes);
    let is_one = |found: Choice, secret: &SecretString| {
        found | secret.expose_secret().as_bytes().ct_eq(sent)
    };
    secrets.iter().fold(Choice::from(0), is_one).into()
}

/// The address that API Gateway saw, or the peer's.
fn peer(request: &Request) -> Option<IpAddr> {
    let gateway = match request.extensions().get::<RequestContext>() {
        Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.as_deref(),
        _ => None,
    };
    let peer = request.extensions().get::<Peer>();
    let address = gateway.and_then(|address| address.parse().ok());
    let address = address.or(peer.map(|Peer(address)| *address));
    address.map(|address| address.to_canonical())
}

/// The last address of `X-Forwarded-For` that is not the proxy's own.
fn forwarded_for(headers: &HeaderMap, proxy: Option<IpAddr>) -> Option<IpAddr> {
    let lines = headers.get_all(FORWARDED_FOR).into_iter().rev();
    let hops = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
    let mut hops = hops.map(address_of);
    let last = hops.next()?;
    if last.is_some() && last == proxy {
        return hops.next()?;
    }
    last
}

/// An address, with or without a port.
fn address_of(hop: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(hop).ok()?.trim();
    let with_port = || text.parse().ok().map(|address: SocketAddr| address.ip());
    let address = text.parse().ok().or_else(with_port);
    address.map(|address: IpAddr| address.to_canonical())
}

fn admit_to_admin(edge: &EdgeSettings, address: Option<IpAddr>) -> Result<(), ApiError> {
    if edge.disable_admin {
        return Err(ApiError::NotFound);
    }
    let mut networks = edge.admin_networks.iter();
    let is_inside = |address| networks.any(|network| network.contains(&address));
    if edge.admin_networks.is_empty() || address.is_some_and(is_inside) {
        return Ok(());
    }
    Err(ApiError::PermissionDenied)
}
