//! Logins in URLs, whatever characters a password has.

/// The URLs, separated by commas, with what stands before each `@` percent-encoded where it has to be. What is encoded
/// already stays as it is; a comma in a password of a list has to be.
pub(crate) fn encoded(urls: &str) -> String {
    let urls: Vec<String> = urls.split(',').map(encoded_one).collect();
    urls.join(",")
}

/// The same for one URL, commas and all.
pub(crate) fn encoded_one(url: &str) -> String {
    let Some((before, host)) = url.rsplit_once('@') else {
        return url.to_owned();
    };
    let (scheme, login) = match before.split_once("://") {
        Some((scheme, login)) => (format!("{scheme}://"), login),
        None => (String::new(), before),
    };
    let login = match login.split_once(':') {
        Some((user, password)) => format!("{}:{}", part(user), part(password)),
        None => part(login),
    };
    format!("{scheme}{login}@{host}")
}

/// One part of a login: unreserved characters (RFC 3986) and `%XX` stay.
fn part(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut encoded = String::with_capacity(text.len());
    for (at, &byte) in bytes.iter().enumerate() {
        let is_hex = |place: usize| bytes.get(place).is_some_and(u8::is_ascii_hexdigit);
        let stays = byte.is_ascii_alphanumeric()
            || b"-._~".contains(&byte)
            || (byte == b'%' && is_hex(at + 1) && is_hex(at + 2));
        match stays {
            true => encoded.push(char::from(byte)),
            false => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_password_stands_in_a_url() {
        for (given, expected) in [
            ("redis://h:1/2", "redis://h:1/2"),
            ("redis://:p@h", "redis://:p@h"),
            ("redis://:p/w#?@h:1", "redis://:p%2Fw%23%3F@h:1"),
            ("redis://u:a:b@c d@h", "redis://u:a%3Ab%40c%20d@h"),
            ("redis://u:p%40w@h", "redis://u:p%40w@h"),
            ("redis://u:100%@h", "redis://u:100%25@h"),
            ("redis://:密@h", "redis://:%E5%AF%86@h"),
        ] {
            assert_eq!(encoded_one(given), expected);
        }
        assert_eq!(encoded_one("redis://:a,b@h"), "redis://:a%2Cb@h");
        assert_eq!(
            encoded("nats://u:p/w@a:1, tls://b:2,t:c+d@e"),
            "nats://u:p%2Fw@a:1, tls://b:2,t:c%2Bd@e"
        );
        assert_eq!(encoded("nats://to/ken@a"), "nats://to%2Fken@a");
    }
}
