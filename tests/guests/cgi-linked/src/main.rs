//! A program that answers by CGI and is linked to another component: the query is a token, of which it asks whose it is.

wit_bindgen::generate!({ world: "asking", path: "../wit" });

fn main() {
    let token = std::env::var_os("QUERY_STRING").and_then(|query| query.into_string().ok()).unwrap_or_default();
    println!("Content-Type: text/plain\n");
    match acme::auth::verify::check(&token) {
        Ok(user) => println!("{} was here {} times", user.name, user.visits),
        Err(error) => println!("refused: {error}"),
    }
}
