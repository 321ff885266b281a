//! What contacts send is somebody's to answer. What nobody had read is unanswered; what is older is answered.

use sea_orm_migration::prelude::*;

crate::sql! {"
ALTER TABLE interactions ADD COLUMN response {text};
ALTER TABLE interactions ADD COLUMN assignee_type {text};
ALTER TABLE interactions ADD COLUMN assignee_id {uuid};
ALTER TABLE interactions ADD COLUMN origin_type {text};
ALTER TABLE interactions ADD COLUMN origin_id {uuid};
ALTER TABLE interactions ADD COLUMN responded_at BIGINT;
ALTER TABLE interactions ADD COLUMN responded_by_id {uuid};
ALTER TABLE interactions ADD COLUMN answer_id {uuid};
ALTER TABLE interactions ADD COLUMN dismiss_reason TEXT;

UPDATE interactions SET response = 'answered' WHERE direction = 'inbound' AND originator <> 'automatic' AND \
(channel IN ('email', 'sms') OR channel = 'phone' AND call_result IN ('missed', 'voicemail', 'busy', \
'failed'));
UPDATE interactions SET complete = TRUE WHERE follow_up_id IN (SELECT id FROM action_items WHERE status <> \
'open');
UPDATE interactions SET response = 'unanswered', complete = FALSE, assignee_id = (SELECT owner_id FROM \
inbox_entries WHERE thing_id = interactions.id LIMIT 1) WHERE work_item_id IS NULL AND id IN (SELECT \
thing_id FROM inbox_entries WHERE unread AND NOT is_work);
UPDATE interactions SET assignee_type = CASE WHEN assignee_id IN (SELECT id FROM groups) THEN 'group' ELSE \
'user' END WHERE response = 'unanswered';
DELETE FROM inbox_entries WHERE NOT is_work AND thing_id NOT IN (SELECT id FROM interactions WHERE response \
= 'unanswered');

CREATE INDEX interactions_by_response ON interactions (response, occurred_at, id) WHERE response IS NOT \
NULL;
CREATE INDEX interactions_by_response_and_assignee ON interactions (response, assignee_id, occurred_at, id) \
WHERE response IS NOT NULL;
CREATE INDEX interactions_by_assignee ON interactions (assignee_id, occurred_at, id) WHERE assignee_id IS \
NOT NULL;
CREATE INDEX interactions_public ON interactions (occurred_at, id) WHERE assignee_type = 'public';
CREATE INDEX interactions_public_by_response ON interactions (response, occurred_at, id) WHERE assignee_type \
= 'public';
CREATE INDEX interactions_unanswered_by_contact ON interactions (contact_id, id) WHERE response = \
'unanswered';
"}
