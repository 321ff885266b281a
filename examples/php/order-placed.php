<?php

// The plugin: when an order is placed, it records a note about it with an action item for a group.
//
//   CASELOAD_KEY=csl_… CASELOAD_GROUP=… php order-placed.php < order.json
//
// In a cart written in PHP, register onOrderPlaced() for the event `order.placed` instead.

declare(strict_types=1);

require_once __DIR__ . '/Caseload.php';

/**
 * Records the order; however often the hook fires for it, there is one note.
 *
 * @param array<string, mixed> $order
 * @return array<string, mixed> the note, with its action items
 */
function onOrderPlaced(Caseload $caseload, array $order, string $group): array
{
    foreach (['id', 'customer', 'total', 'currency', 'items'] as $member) {
        isset($order[$member]) || throw new InvalidArgumentException("the order has no \"$member\"");
    }
    $id = (string) $order['id'];
    $lines = ["Ordered by {$order['customer']}:"];
    foreach ($order['items'] as $item) {
        $lines[] = "{$item['quantity']} × {$item['name']}";
    }
    $note = [
        'subject' => ['type' => 'order', 'id' => $id],
        'title' => "Order $id was placed: {$order['total']} {$order['currency']}",
        'body' => implode("\n", $lines),
        'action_items' => [[
            'title' => 'Check address and payment, and confirm the order',
            'due_in' => 'tomorrow',
            'assignee' => ['type' => 'group', 'id' => $group],
        ]],
    ];
    // From the order alone: the same order is the same request.
    return $caseload->ask('POST', '/v1/notes', $note, 'order.placed:' . rawurlencode($id));
}

function main(): int
{
    $settings = [];
    foreach (['CASELOAD_KEY', 'CASELOAD_GROUP'] as $name) {
        $settings[$name] = getenv($name) ?: '';
        if ($settings[$name] === '') {
            fwrite(STDERR, "caseload: $name is not set\n");
            return 2;
        }
    }
    $caseload = new Caseload(getenv('BASE') ?: 'http://127.0.0.1:8080', $settings['CASELOAD_KEY']);
    try {
        $order = json_decode((string) stream_get_contents(STDIN), true, 64, JSON_THROW_ON_ERROR);
        $note = onOrderPlaced($caseload, is_array($order) ? $order : [], $settings['CASELOAD_GROUP']);
    } catch (CaseloadProblem | InvalidArgumentException | JsonException $problem) {
        fwrite(STDERR, "caseload: {$problem->getMessage()}\n");
        return 1;
    }
    echo "{$note['id']}\n";
    return 0;
}

if (realpath($_SERVER['SCRIPT_FILENAME'] ?? '') === __FILE__) {
    exit(main());
}
