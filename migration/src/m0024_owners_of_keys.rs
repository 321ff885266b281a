//! Whose an API key is: whoever made it, or whose the key was that made it. A publishable key, which
//! everybody may see, is handed over where they have left.

use sea_orm_migration::prelude::*;

crate::sql! {"
ALTER TABLE api_keys ADD COLUMN owner_id {uuid} REFERENCES users (id);
CREATE INDEX api_keys_by_owner ON api_keys (owner_id);

WITH RECURSIVE makers (id, maker_id) AS (
    SELECT api_keys.id, COALESCE(
        (SELECT journal.actor_id FROM journal WHERE journal.record_id = api_keys.id AND journal.event = \
        'api_key.created' LIMIT 1),
        api_keys.created_by_id)
    FROM api_keys
), owners (id, owner_id) AS (
    SELECT makers.id, makers.maker_id FROM makers JOIN users ON users.id = makers.maker_id
    UNION
    SELECT makers.id, owners.owner_id FROM makers JOIN owners ON makers.maker_id = owners.id
)
UPDATE api_keys SET owner_id = (SELECT owners.owner_id FROM owners WHERE owners.id = api_keys.id);

UPDATE api_keys
SET owner_id = (SELECT heirs.id FROM users AS heirs WHERE heirs.role = 'admin' AND heirs.active = TRUE ORDER \
BY heirs.created_at, heirs.id LIMIT 1)
WHERE bounds IS NOT NULL AND owner_id IN (SELECT users.id FROM users WHERE users.active = FALSE);
"}
