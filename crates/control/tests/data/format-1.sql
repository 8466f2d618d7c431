-- What the first release with a registry left behind: its tables, and an app with three revisions, of which the first was
-- deployed again. Written by hand from that release's statements; the entry of change 2 is damaged.
CREATE TABLE changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at_us INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    idempotency_key TEXT,
    request BLOB NOT NULL,
    what TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX changes_by_key ON changes (tenant, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE TABLE revisions (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    app TEXT NOT NULL,
    digest BLOB NOT NULL,
    at_us INTEGER NOT NULL,
    created_by INTEGER NOT NULL,
    written BLOB NOT NULL,
    UNIQUE (tenant, app, digest)
) STRICT;
CREATE TABLE apps (
    tenant TEXT NOT NULL,
    app TEXT NOT NULL,
    generation INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (tenant, app)
) STRICT, WITHOUT ROWID;
CREATE TABLE hosts (
    host TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    app TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX hosts_by_app ON hosts (tenant, app);
CREATE TABLE totals (only INTEGER PRIMARY KEY CHECK (only = 1), apps INTEGER NOT NULL) STRICT;
INSERT INTO totals VALUES (1, 0);
CREATE TRIGGER app_added AFTER INSERT ON apps BEGIN UPDATE totals SET apps = apps + 1; END;
CREATE TRIGGER app_removed AFTER DELETE ON apps BEGIN UPDATE totals SET apps = apps - 1; END;
INSERT INTO changes VALUES (1, 1700000000000001, 'acme', 'k1', x'57028381f33dcdfc5965d81d01b2020381309ae78823155cd78b18e4b215d343', '{"deploy":{"app":"shop","revision":"sha256:f5dbd6ab3040f86c2fae5519633705e9463b29b43ca8de18e499407a7604cd59","hosts":["a.example"]}}');
INSERT INTO changes VALUES (2, 1700000000000002, 'acme', NULL, x'2456ddbbf63df6873732c84efa3794074c20e0ca089909aa13c6bb3e53411499', '{"deploy":{"app":"shop","revision":"sha256:d36ab1f0eed0948d357d24e915e5f04be9f46aa213fd76799c56383672a39f1a","hosts":["a.example","b.example"]');
INSERT INTO changes VALUES (3, 1700000000000003, 'acme', NULL, x'1261f39d845e9031295d7152086d89a03999f0c5d4b763c39247dcd89979762c', '{"deploy":{"app":"shop","revision":"sha256:1b5f894b724cfa123ef3339bd38c21aab2f567be1603808231f44504c912ed9f"}}');
INSERT INTO changes VALUES (4, 1700000000000004, 'acme', NULL, x'57028381f33dcdfc5965d81d01b2020381309ae78823155cd78b18e4b215d343', '{"deploy":{"app":"shop","revision":"sha256:f5dbd6ab3040f86c2fae5519633705e9463b29b43ca8de18e499407a7604cd59","hosts":["a.example"]}}');
INSERT INTO changes VALUES (5, 1700000000000005, 'acme', NULL, x'bf7454db41a421138ce450e44978fa24a89fa3375ee4a2bb6f72f4bdccd60668', '{"deploy":{"app":"blog","revision":"sha256:0c9d645c5d856ecd5dfab29efcebc95c57966bdafb5a99814344d5a178cde8e7","hosts":["c.example"]}}');
INSERT INTO changes VALUES (6, 1700000000000006, 'evil', NULL, x'ed43783230735b851cd071a6910c24360506dd306bca5ad27c78c7708613ce8c', '{"deploy":{"app":"gone","revision":"sha256:0c9d645c5d856ecd5dfab29efcebc95c57966bdafb5a99814344d5a178cde8e7"}}');
INSERT INTO changes VALUES (7, 1700000000000007, 'evil', NULL, x'6a2f5399da1fb9787db2869d4566c980c0ca9b2feecd6e4b70cf2ddc4a2ae424', '{"remove":{"app":"gone"}}');
INSERT INTO revisions VALUES (1, 'acme', 'shop', x'f5dbd6ab3040f86c2fae5519633705e9463b29b43ca8de18e499407a7604cd59', 1700000000000004, 4, x'7b22666f726d6174223a312c22617070223a2273686f70222c2276657273696f6e223a2261222c22636f6d706f6e656e7473223a7b7d2c22726f75746573223a5b5d7d');
INSERT INTO revisions VALUES (2, 'acme', 'shop', x'd36ab1f0eed0948d357d24e915e5f04be9f46aa213fd76799c56383672a39f1a', 1700000000000002, 2, x'7b22666f726d6174223a312c22617070223a2273686f70222c2276657273696f6e223a2262222c22636f6d706f6e656e7473223a7b7d2c22726f75746573223a5b5d7d');
INSERT INTO revisions VALUES (3, 'acme', 'shop', x'1b5f894b724cfa123ef3339bd38c21aab2f567be1603808231f44504c912ed9f', 1700000000000003, 3, x'7b22666f726d6174223a312c22617070223a2273686f70222c2276657273696f6e223a2263222c22636f6d706f6e656e7473223a7b7d2c22726f75746573223a5b5d7d');
INSERT INTO revisions VALUES (4, 'acme', 'blog', x'0c9d645c5d856ecd5dfab29efcebc95c57966bdafb5a99814344d5a178cde8e7', 1700000000000005, 5, x'7b22666f726d6174223a312c22617070223a22626c6f67222c2276657273696f6e223a2278222c22636f6d706f6e656e7473223a7b7d2c22726f75746573223a5b5d7d');
INSERT INTO apps VALUES ('acme', 'shop', 4, 1);
INSERT INTO apps VALUES ('acme', 'blog', 5, 4);
INSERT INTO hosts VALUES ('a.example', 'acme', 'shop');
INSERT INTO hosts VALUES ('c.example', 'acme', 'blog');
PRAGMA application_id = 1129140807;
PRAGMA user_version = 1;
