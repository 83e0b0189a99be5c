//! The examples, run: what they show a reader is what they do.

use rls_tool::session::CrossTenantPool;
use rls_tool::{ProcessId, TenantPool};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::shop::Shop;
use crate::support::run;

#[allow(dead_code, reason = "its main is for cargo run --example")]
#[path = "../../examples/axum_service.rs"]
mod axum_service;

#[allow(dead_code, reason = "its main is for cargo run --example")]
#[path = "../../examples/background_worker.rs"]
mod background_worker;

/// One request; gives status and body.
async fn http(
    address: std::net::SocketAddr,
    method: &str,
    path: &str,
    key: &str,
    body: &str,
) -> (u16, String) {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

async fn keys(shop: &Shop) {
    let admin = shop.database.admin().await;
    for (tenant, key) in [(shop.a, "key-of-a"), (shop.b, "key-of-b")] {
        let hash = Sha256::digest(key.as_bytes()).to_vec();
        let sql = "insert into app.api_keys (tenant_id, name, key_hash, environment, created_at) \
                   values ($1, 'k', $2, 'PRODUCTION', now() - interval '100 days')";
        admin.execute(sql, &[&tenant, &hash]).await.unwrap();
    }
}

#[tokio::test]
async fn the_axum_service_serves_each_key_its_own_tenant() {
    let shop = Shop::open("example_axum").await;
    keys(&shop).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = axum_service::router(shop.pool(2).await);
    tokio::spawn(async move { axum::serve(listener, service).await });

    let (status, body) = http(address, "GET", "/processes", "key-of-a", "").await;
    assert_eq!(status, 200);
    assert!(
        body.contains("a1") && body.contains("a2") && !body.contains("b1"),
        "{body}"
    );
    assert_eq!(http(address, "GET", "/processes", "no key", "").await.0, 401);

    let (status, body) = http(address, "POST", "/processes", "key-of-b", "{\"name\":\"b2\"}").await;
    assert_eq!(status, 201);
    let made: serde_json::Value = serde_json::from_str(&body).unwrap();
    let id: ProcessId = made["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(
        http(address, "POST", "/processes", "key-of-b", "{\"name\":\"b2\"}")
            .await
            .0,
        409
    );

    let path = format!("/processes/{id}");
    assert_eq!(
        http(address, "PUT", &path, "key-of-a", "{\"name\":\"stolen\"}")
            .await
            .0,
        404
    );
    assert_eq!(
        http(address, "PUT", &path, "key-of-b", "{\"name\":\"b3\"}")
            .await
            .0,
        204
    );
    let (_, body) = http(address, "GET", "/processes", "key-of-b", "").await;
    assert!(body.contains("b3") && !body.contains("stolen"), "{body}");
}

#[tokio::test]
async fn the_background_worker_purges_for_all_and_revokes_for_one() {
    let shop = Shop::open("example_worker").await;
    keys(&shop).await;
    let admin = shop.database.admin().await;
    let worker: String = admin
        .query_one("select 'worker_' || current_database()", &[])
        .await
        .unwrap()
        .get(0);
    let (a, b) = (shop.a, shop.b);
    run(
        &admin,
        &format!(
            "create role {worker} login; grant app_maintenance to {worker};
             insert into app.verification_tokens (tenant_id, identifier, token_hash, expires_at)
             select t, 'x', sha256(n::text::bytea), now() - interval '1 day' * n
             from unnest(array['{a}', '{b}']) t, generate_series(-1, 2) n"
        ),
    )
    .await;
    let pool = TenantPool::builder()
        .options(shop.database.options().as_role(&worker, None))
        .max_size(1);
    let maintenance = CrossTenantPool::builder(pool)
        .role("app_maintenance")
        .build()
        .await
        .unwrap();
    // Of each tenant: one expired yesterday, one the day before; the one of this moment may count as well.
    let purged = background_worker::purge(&maintenance).await.unwrap();
    assert!([4, 6].contains(&purged), "{purged}");

    let pool = shop.pool(1).await;
    assert_eq!(
        background_worker::revoke_unused_keys(&pool, shop.a, 90)
            .await
            .unwrap(),
        1
    );
    let sql = "select tenant_id from app.api_keys where revoked_at is not null";
    let revoked = admin.query(sql, &[]).await.unwrap();
    assert_eq!(crate::shop::texts(&revoked), [a.to_string()]);
    drop(maintenance);
    run(&admin, &format!("drop role {worker}")).await;
}
