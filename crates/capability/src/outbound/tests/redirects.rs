//! Redirects: the guest gets them as they are, and its next request is checked anew.

use super::*;

#[tokio::test]
async fn redirects_come_back_to_the_guest() {
    let inward = Server::plain().await;
    let places = [
        format!("{}/admin", inward.origin()),
        format!("http://localhost:{}/", inward.port),
        format!("http://[::ffff:127.0.0.1]:{}/", inward.port),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://[fd00:ec2::254]/latest/meta-data/".to_owned(),
    ];
    for status in [301, 302, 303, 307, 308] {
        for place in &places {
            let redirect = format!("HTTP/1.1 {status} Elsewhere\r\nlocation: {place}\r\ncontent-length: 0\r\n\r\n");
            let server = Server::answering(redirect).await;
            let outbound = outbound(&[&server.origin()]);
            let response = try_send(&outbound, get(&server.origin())).await.unwrap();
            assert_eq!(response.status(), status);
            assert_eq!(response.headers().get("location").unwrap(), place.as_str());
            // A guest that follows it.
            assert_eq!(refusal(&outbound, get(place)).await, "HttpRequestDenied", "{place}");
        }
    }
    assert_eq!(inward.connections(), 0);
}
