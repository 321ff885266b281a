<?php

// Proves the plugin against a running Caseload whose CASELOAD_RATE_LIMIT is 30:
//
//   ADMIN_PASSWORD=… php check.php
//
// BASE and ADMIN_EMAIL may be given too.

declare(strict_types=1);

require_once __DIR__ . '/Caseload.php';

set_error_handler(static fn (int $kind, string $text, string $file, int $line) => throw new ErrorException($text, 0, $kind, $file, $line));

$base = getenv('BASE') ?: 'http://127.0.0.1:8080';

function check(bool $holds, string $what, string $why = ''): void
{
    $holds || throw new RuntimeException("not so: $what $why");
    echo "  $what\n";
}

/**
 * Fires the hook in a process of its own, as a cart would.
 *
 * @param array<string, mixed> $order
 * @return array{int, string, string} its status, what it said, and its errors
 */
function fire(array $order, string $key, string $group): array
{
    $settings = ['CASELOAD_KEY' => $key, 'CASELOAD_GROUP' => $group] + getenv();
    $process = proc_open(
        [PHP_BINARY, __DIR__ . '/order-placed.php'],
        [['pipe', 'r'], ['pipe', 'w'], ['pipe', 'w']],
        $pipes,
        null,
        $settings,
    );
    fwrite($pipes[0], json_encode($order, JSON_THROW_ON_ERROR));
    fclose($pipes[0]);
    $said = trim((string) stream_get_contents($pipes[1]));
    $errors = trim((string) stream_get_contents($pipes[2]));
    return [proc_close($process), $said, $errors];
}

/** Asks until the key may ask no more. */
function exhaust(string $base, string $key): void
{
    $curl = curl_init("$base/v1/notes?limit=1");
    curl_setopt_array($curl, [CURLOPT_RETURNTRANSFER => true, CURLOPT_TIMEOUT => 10, CURLOPT_HTTPHEADER => ["Authorization: Bearer $key"]]);
    for ($asked = 0; $asked < 1000; $asked++) {
        curl_exec($curl);
        if (curl_getinfo($curl, CURLINFO_RESPONSE_CODE) === 429) {
            return;
        }
    }
    throw new RuntimeException('the key was never refused: start Caseload with CASELOAD_RATE_LIMIT=30');
}

echo "An API key for the cart, and somebody in Customer Service\n";
$signedIn = (new Caseload($base))->ask('POST', '/v1/auth/token', [
    'email' => getenv('ADMIN_EMAIL') ?: 'admin@localhost',
    'password' => (string) getenv('ADMIN_PASSWORD'),
]);
$admin = new Caseload($base, $signedIn['access_token']);
$group = $admin->ask('GET', '/v1/groups?key=customer_service')['data'][0]['id'];
$admin->ask('PUT', "/v1/groups/$group/members/" . $admin->ask('GET', '/v1/users/me')['id']);
$key = $admin->ask('POST', '/v1/api-keys', [
    'name' => 'Shop checkout',
    'scopes' => ['notes:read', 'notes:write', 'action_items:write'],
])['secret'];

echo "The hook fires twice for one order\n";
$order = json_decode((string) file_get_contents(__DIR__ . '/order.json'), true, 64, JSON_THROW_ON_ERROR);
$subject = 'order:' . $order['id'];
[$status, $first, $errors] = fire($order, $key, $group);
check($status === 0, 'it is recorded', $errors);
[$status, $second, $errors] = fire($order, $key, $group);
check($status === 0 && $second === $first, 'the second time is the same note', $errors);
check(count($admin->ask('GET', '/v1/notes?subject=' . rawurlencode($subject))['data']) === 1, 'there is one note');
$items = $admin->ask('GET', '/v1/action-items?subject=' . rawurlencode($subject))['data'];
check(count($items) === 1 && $items[0]['assignee']['id'] === $group, 'and one action item, for Customer Service');

echo "Refusals are told\n";
[$status, , $errors] = fire($order, 'csl_nobody', $group);
check($status === 1 && str_contains($errors, '401 invalid_token'), 'an unknown key is 401', $errors);
[$status, , $errors] = fire($order, $key, 'nowhere');
check($status === 1 && str_contains($errors, '#/action_items/0/assignee/id'), 'a wrong group is named where it is', $errors);
[$status, , $errors] = fire([], $key, $group);
check($status === 1 && str_contains($errors, 'has no "id"'), 'an order without an id is not sent', $errors);

echo "A key that has asked too often\n";
$patient = false;
for ($number = 1; $number <= 5 && !$patient; $number++) {
    exhaust($base, $key);
    [$status, , $errors] = fire(['id' => "B-$number"] + $order, $key, $group);
    check($status === 0, "order B-$number is recorded", $errors);
    $patient = str_contains($errors, '429; trying again');
}
check($patient, 'after waiting as long as Caseload said');

echo "Done.\n";
